/**
 * One sign-in of one person in this app, as far as an ID token shows it. It is compared, and never believed:
 * the hub alone verifies tokens.
 */
export interface Login {
  /** Issuer, app, person and session. */
  readonly session: string;
  /** Of the request that the person signed in by. */
  readonly nonce?: string | undefined;
  /** `auth_time`: when they proved who they are. */
  readonly at?: number | undefined;
}

/** Reads the sign-in from a raw ID token. What is none is like itself alone. */
export function readLogin(token: string): Login {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as Record<string, unknown>;
    const { iss, aud, sub, sid, nonce, auth_time: at } = claims;
    return { session: JSON.stringify([iss, aud, sub, sid]), nonce: nonce as string, at: at as number };
  } catch {
    return { session: token };
  }
}

/**
 * Whether a token that the app has now comes from the sign-in that was held before, perhaps refreshed since.
 *
 * The same `sid` is not enough: after a sign-out, a person may sign in again while the provider's session lives
 * on, and gets the same `sid`. Nor is a later `iat`: a refresh makes one too, and a refreshed token must not hide
 * a logout that was missed. What tells the two apart is what OpenID Connect Core 12.2 asks of a refreshed token:
 * no `nonce`, or that of the original sign-in; and the `auth_time` of the original. A new request to sign in
 * has a new `nonce`. Where tokens never carry one, both look alike, and count as the same sign-in.
 */
export function isSameLogin(held: Login, now: Login): boolean {
  return (
    held.session === now.session &&
    (!now.nonce || now.nonce === held.nonce) &&
    (!now.at || !held.at || now.at === held.at)
  );
}
