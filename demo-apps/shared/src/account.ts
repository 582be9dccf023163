import { createAuth0Client, type Auth0Client } from '@auth0/auth0-spa-js';
import { withAuth0 } from '@slo-hub/client/auth0';
import type { AppConfig } from './config';
import { brokenPage, leavingPage, signedOutPage, waitingPage, welcomePage, type Brand } from './gate';
import { forgetWhy, recallWhy, rememberWhy, whyOf } from './why';

export interface Person {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
}

export interface Account {
  readonly person: Person;
  signOut(options?: { everywhere?: boolean }): void;
}

/** Where the app lets people arrive after a sign-out. Registered at the tenant and at the hub. */
const SIGNED_OUT = '/signed-out';
const CALLBACK = '/callback';

/** What an app adds to all this. */
export interface Extras {
  /** Goes between the SDK and the network. */
  readonly fetch?: typeof fetch;
  /** Shown below the text of the signed-out page. */
  readonly onSignedOutPage?: () => Node | undefined;
}

/**
 * Signs the person in or says why they are signed out, and calls `whenSignedIn` once the hub
 * has had its chance to say that the session is over: nothing private is shown before.
 */
export async function openAccount(
  config: AppConfig,
  brand: Brand,
  whenSignedIn: (account: Account) => void,
  extras: Extras = {},
): Promise<void> {
  waitingPage(brand);
  try {
    const auth0 = await connect(config);
    await finishSignIn(auth0);
    const user = await auth0.getUser();
    if (user?.sub === undefined) return showOutside({ brand, auth0, extras });
    const person = { sub: user.sub, name: user.name ?? user.sub, email: user.email ?? '' };
    await follow({ config, brand, auth0, person, whenSignedIn, extras });
  } catch (error) {
    console.error(error);
    brokenPage(brand);
  }
}

interface Outside {
  brand: Brand;
  auth0: Auth0Client;
  extras: Extras;
}

interface Following extends Outside {
  config: AppConfig;
  person: Person;
  whenSignedIn: (account: Account) => void;
}

async function follow({ config, brand, auth0, person, whenSignedIn, extras }: Following): Promise<void> {
  const slo = withAuth0(auth0, {
    hub: config.hub,
    curtain: true,
    ...(extras.fetch && { fetch: extras.fetch }),
    onSignedOut(event) {
      rememberWhy(whyOf(event));
      showOutside({ brand, auth0, extras }, SIGNED_OUT);
    },
  });

  if ((await slo.ready) === 'signed-out') return;
  forgetWhy();
  if (location.pathname === SIGNED_OUT) history.replaceState(null, '', '/');
  whenSignedIn({
    person,
    signOut({ everywhere = false } = {}) {
      leavingPage(brand);
      const sentence = everywhere ? 'You signed out everywhere' : `You signed out in ${brand.name}`;
      rememberWhy({ sentence, at: new Date().toISOString(), everywhere });
      void slo.logout({
        scope: everywhere ? 'user' : 'session',
        reason: sentence,
        logoutParams: { returnTo: location.origin + SIGNED_OUT },
      });
    },
  });
}

/**
 * Refresh tokens kept in local storage: a silent sign-in by iframe would need the tenant's
 * cookie on this site, and browsers block cookies of third parties.
 */
function connect({ issuer, clientId }: AppConfig): Promise<Auth0Client> {
  return createAuth0Client({
    domain: new URL(issuer).origin,
    clientId,
    useRefreshTokens: true,
    cacheLocation: 'localstorage',
    authorizationParams: { redirect_uri: location.origin + CALLBACK },
  });
}

async function finishSignIn(auth0: Auth0Client): Promise<void> {
  if (location.pathname !== CALLBACK) return;
  const { appState } = await auth0.handleRedirectCallback<{ from?: string }>();
  history.replaceState(null, '', appState?.from ?? '/');
}

/** The page for somebody who is not signed in: why, if there is a reason to tell; else the welcome. */
function showOutside({ brand, auth0, extras }: Outside, path = location.pathname): void {
  const from = location.pathname === SIGNED_OUT ? '/' : location.pathname;
  const why = path === SIGNED_OUT ? recallWhy() : undefined;
  // A sign-out on all devices is about every session that had begun, also about one that still
  // lives at the tenant. Only who proves anew who they are has a new one.
  const anew = why?.everywhere ? { authorizationParams: { max_age: 0 } } : {};
  const signIn = () => void auth0.loginWithRedirect({ ...anew, appState: { from } });
  if (path !== location.pathname) history.replaceState(null, '', path);
  if (path === SIGNED_OUT) signedOutPage(brand, why, signIn, extras.onSignedOutPage?.());
  else welcomePage(brand, signIn);
}
