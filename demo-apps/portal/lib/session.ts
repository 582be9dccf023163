import { randomUUID } from 'node:crypto';
import { cookies } from 'next/headers';
import { auth0, SESSION } from './auth0';
import { settings } from './settings';

/** The cookie that remembers, over the way through the hub, that this browser has signed out here. */
export const LEAVING = 'portal_leaving';

export interface Person {
  readonly sub: string;
  readonly name: string;
  readonly email: string | undefined;
}

/** Who looks at a page, and the fields of the form by which they sign out. */
export interface SignedIn {
  readonly person: Person;
  readonly leaving: Readonly<Record<string, string>>;
}

/** Undefined where nobody is signed in: the session may have ended a moment ago. */
export async function signedIn(): Promise<SignedIn | undefined> {
  const session = await auth0().getSession();
  if (!session) return undefined;
  const { sub, name, email } = session.user;
  return { person: { sub, name: name ?? email ?? sub, email }, leaving: leavingWith(session.tokenSet.idToken) };
}

/** Whether this browser names a session. Where nobody is signed in, it has ended. */
export async function hadSession(): Promise<boolean> {
  return (await cookies()).has(SESSION);
}

/** Whether this is the way back from a sign-out that began here, and in this browser. */
export async function leftWith(state: string | undefined): Promise<boolean> {
  return state !== undefined && state !== '' && (await cookies()).get(LEAVING)?.value === state;
}

/** What the hub is asked when this session is to end, in every app of the same browser. */
function leavingWith(idToken: string | undefined): Record<string, string> {
  const { url, clientId } = settings();
  return {
    ...(idToken !== undefined && { id_token_hint: idToken }),
    client_id: clientId,
    post_logout_redirect_uri: `${url}/signed-out`,
    state: randomUUID(),
  };
}
