import { isSameLogin, readLogin } from './login.js';
import { Client } from './client.js';
import { THIS_PAGE } from './page.js';
import type { SignOutOptions, SloClient, SloOptions, TokenRequest } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type * from './types.js';

interface Auth0LogoutParams {
  readonly returnTo?: string;
  readonly federated?: boolean;
}

/**
 * What is used of Auth0's own object: `Auth0Client` of auth0-spa-js, or what `useAuth0()` of auth0-react returns. Never
 * hand over the client behind a framework's object: its pages would not see the sign-out. For React, Vue and Angular
 * there are adapters of their own.
 */
export interface Auth0Like {
  getIdTokenClaims(): Promise<{ readonly __raw: string } | null | undefined>;
  logout(options?: {
    logoutParams?: Auth0LogoutParams;
    openUrl?: false | ((url: string) => Promise<void> | void);
  }): Promise<void>;
  /** auth0-spa-js. */
  getTokenSilently?(options: { cacheMode: 'off' }): Promise<unknown>;
  /** auth0-react. */
  getAccessTokenSilently?(options: { cacheMode: 'off' }): Promise<unknown>;
}

/** Everything of {@link SloOptions}; `getToken` is seen to. */
export type Auth0SloOptions = Omit<SloOptions, 'getToken'>;

export interface Auth0LogoutOptions extends Omit<SignOutOptions, 'redirect'> {
  /** Leave the page, by way of the hub and Auth0, so that Auth0's session ends too. Default true. */
  readonly redirect?: boolean;
  /** For Auth0's own logout, which takes over when the hub is away: `{ returnTo }`. */
  readonly logoutParams?: Auth0LogoutParams;
}

/** A client that can end the app's Auth0 session as well. */
export interface Auth0SloClient extends SloClient {
  /**
   * Signs out everywhere: at the hub, in this app, and with the redirect at Auth0. The hub being away (1.5 s) leaves
   * Auth0's own logout.
   *
   * Rejects only when Auth0's `logout` does.
   */
  logout(options?: Auth0LogoutOptions): Promise<void>;
}

/**
 * Connects an app that signs in with Auth0 to the hub. When the session ends elsewhere, the app's Auth0 session is
 * cleared first, without leaving the page; then `onSignedOut` is called.
 *
 * Call it after Auth0's object has restored its session (`createAuth0Client`, `checkSession`,
 * `handleRedirectCallback`, or `isLoading` being false).
 *
 * @throws SloError `bad_option` when `hub` is no absolute URL.
 */
export function withAuth0(auth0: Auth0Like, options: Auth0SloOptions): Auth0SloClient {
  const idToken = async () => (await auth0.getIdTokenClaims())?.__raw;
  const getToken = async ({ reason }: TokenRequest) => {
    if (reason === 'rejected') {
      const fresh = { cacheMode: 'off' } as const;
      await (auth0.getTokenSilently?.(fresh) ?? auth0.getAccessTokenSilently?.(fresh));
    }
    return idToken();
  };
  const client = new Client({ ...options, getToken }, THIS_PAGE, async (ended) => {
    const token = await idToken();
    // Another tab has signed in anew meanwhile: that session is alive, and this storage is its own too.
    if (token && ended && !isSameLogin(ended, readLogin(token))) return;
    await auth0.logout({ openUrl: false });
  });
  return Object.assign(client, {
    async logout({ redirect = true, logoutParams, ...how }: Auth0LogoutOptions = {}) {
      await client.signOut(how, ({ continueUrl }) =>
        auth0.logout({
          ...(logoutParams && { logoutParams }),
          // Always given: without it, Auth0's SDKs for frameworks still say who is signed in, should the Back button
          // bring the page back.
          openUrl: redirect && ((url) => location.assign(continueUrl ?? url)),
        }),
      );
    },
  }) as SloClient as Auth0SloClient;
}
