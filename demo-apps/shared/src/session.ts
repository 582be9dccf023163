import type { AppConfig } from './config';
import type { Brand } from './gate';
import { rememberWhy, type Why } from './why';

/** Where the app lets people arrive after a sign-out. Registered at the tenant and at the hub. */
export const SIGNED_OUT = '/signed-out';
/** Where the tenant sends people back to after a sign-in. Registered there. */
export const CALLBACK = '/callback';

/**
 * How Auth0's SDKs are set up. Refresh tokens kept in local storage: a silent sign-in by iframe would need the
 * tenant's cookie on this site, and browsers block cookies of third parties.
 */
export function auth0Settings({ issuer, clientId }: AppConfig) {
  return {
    domain: new URL(issuer).origin,
    clientId,
    useRefreshTokens: true,
    cacheLocation: 'localstorage',
    authorizationParams: { redirect_uri: location.origin + CALLBACK },
  } as const;
}

/** What a sign-in asks for: to come back to where the person is now. */
export function signInRequest(why: Why | undefined) {
  const { pathname } = location;
  // A sign-out on all devices is about every session that had begun, also about one that still
  // lives at the tenant. Only who proves anew who they are has a new one.
  const anew = why?.everywhere ? { authorizationParams: { max_age: 0 } } : {};
  return { ...anew, appState: { returnTo: pathname === SIGNED_OUT || pathname === CALLBACK ? '/' : pathname } };
}

/** What a sign-out asks for. Its reason is remembered for the page that the person then arrives at. */
export function signOutRequest({ name }: Brand, everywhere: boolean) {
  const sentence = everywhere ? 'You signed out everywhere' : `You signed out in ${name}`;
  rememberWhy({ sentence, at: new Date().toISOString(), everywhere });
  return {
    scope: everywhere ? 'user' : 'session',
    reason: sentence,
    logoutParams: { returnTo: location.origin + SIGNED_OUT },
  } as const;
}
