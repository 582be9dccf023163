import { Client } from './client.js';
import { keepUp } from './follow.js';
import { isSameLogin, readLogin } from './login.js';
import { THIS_PAGE } from './page.js';
import type { SignOutOptions, SloClient, SloOptions, TokenRequest } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type * from './types.js';

/** For the provider's own logout page. */
export interface OidcSignoutArgs {
  readonly post_logout_redirect_uri?: string;
  readonly state?: unknown;
}

/** What is used of oidc-client-ts's `UserManager`. Hand over the one whose events your app listens to. */
export interface OidcLike {
  getUser(): Promise<{ readonly id_token?: string | undefined } | null>;
  removeUser(): Promise<void>;
  signinSilent(): Promise<{ readonly id_token?: string | undefined } | null>;
  signoutRedirect(args?: OidcSignoutArgs): Promise<void>;
  readonly events: {
    addUserLoaded(listener: () => void): unknown;
    addUserUnloaded(listener: () => void): unknown;
  };
}

/** Everything of {@link SloOptions}; `getToken` is seen to. */
export type OidcSloOptions = Omit<SloOptions, 'getToken'>;

export interface OidcLogoutOptions extends Omit<SignOutOptions, 'redirect'> {
  /** Leave the page, by way of the hub, so that the provider's session ends too. Default true. */
  readonly redirect?: boolean;
  /** For `signoutRedirect`, which takes over when the hub is away. */
  readonly signoutArgs?: OidcSignoutArgs;
}

/** A client that can end the app's own session as well. */
export interface OidcSloClient extends SloClient {
  /**
   * Signs out everywhere: at the hub, in this app, and with the redirect at the provider. The hub being away (1.5 s)
   * leaves `signoutRedirect`.
   *
   * Rejects only when oidc-client-ts does.
   */
  logout(options?: OidcLogoutOptions): Promise<void>;
}

/**
 * Connects an app that signs in with oidc-client-ts to the hub. When the session ends elsewhere, the user is removed
 * first, which the app's own listeners hear of (`addUserUnloaded`); then `onSignedOut` is called.
 *
 * Unless `autoStart` is false, it begins at once, and anew with every sign-in that the manager tells of. Call it after
 * `signinRedirectCallback` on the page that the provider returns to.
 *
 * @throws SloError `bad_option` when `hub` is no absolute URL.
 */
export function withOidc(users: OidcLike, options: OidcSloOptions): OidcSloClient {
  const idToken = async () => (await users.getUser())?.id_token;
  const getToken = async ({ reason }: TokenRequest) =>
    reason === 'rejected' ? (await users.signinSilent())?.id_token : idToken();
  const client = new Client({ ...options, getToken }, THIS_PAGE, async (ended) => {
    const token = await idToken();
    // Another tab has signed in anew meanwhile: that session is alive, and this storage may be its own too.
    if (token && ended && !isSameLogin(ended, readLogin(token))) return;
    await users.removeUser();
  });
  if (options.autoStart !== false) keepUpWith(users, client, idToken);
  return Object.assign(client, {
    async logout({ redirect = true, signoutArgs, ...how }: OidcLogoutOptions = {}) {
      await client.signOut(how, async ({ continueUrl }) => {
        // It takes the ID token along, and removes the user itself.
        if (redirect && !continueUrl) return users.signoutRedirect(signoutArgs);
        await users.removeUser();
        if (redirect && continueUrl) location.assign(continueUrl);
      });
    },
  }) as SloClient as OidcSloClient;
}

/** A client that the app has stopped stays so until the app starts it. */
function keepUpWith(users: OidcLike, client: SloClient, idToken: () => Promise<string | undefined>): void {
  const check = keepUp(client, { idToken, isStarted: true, isStopped: () => client.state === 'closed' });
  void check();
  users.events.addUserLoaded(check);
  users.events.addUserUnloaded(check);
}
