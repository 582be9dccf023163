import { createAuth0Client, type Auth0Client } from '@auth0/auth0-spa-js';
import {
  auth0Settings, brokenPage, CALLBACK, forgetWhy, leavingPage, personOf, recallWhy, rememberWhy, SIGNED_OUT, signedOutPage,
  signInRequest, signOutRequest, waitingPage, welcomePage, whyOf, type AppConfig, type Brand, type Person,
} from '@slo-hub-demo/shared';
import { withAuth0 } from '@slo-hub/client/auth0';
import { showGate } from './gate-view';

export interface Account {
  readonly person: Person;
  signOut(options?: { everywhere?: boolean }): void;
}

/**
 * Signs the person in or says why they are signed out, and calls `whenSignedIn` once the hub
 * has had its chance to say that the session is over: nothing private is shown before.
 */
export async function openAccount(config: AppConfig, brand: Brand, whenSignedIn: (account: Account) => void): Promise<void> {
  showGate(brand, waitingPage(brand));
  try {
    const auth0 = await createAuth0Client(auth0Settings(config));
    await finishSignIn(auth0);
    const person = personOf(await auth0.getUser());
    if (person === undefined) return showOutside({ brand, auth0 });
    await follow({ config, brand, auth0, person, whenSignedIn });
  } catch (error) {
    console.error(error);
    showGate(brand, brokenPage(brand), () => location.assign('/'));
  }
}

interface Outside {
  brand: Brand;
  auth0: Auth0Client;
}

interface Following extends Outside {
  config: AppConfig;
  person: Person;
  whenSignedIn: (account: Account) => void;
}

async function follow({ config, brand, auth0, person, whenSignedIn }: Following): Promise<void> {
  const slo = withAuth0(auth0, {
    hub: config.hub,
    curtain: true,
    onSignedOut(event) {
      rememberWhy(whyOf(event));
      showOutside({ brand, auth0 }, SIGNED_OUT);
    },
  });

  if ((await slo.ready) === 'signed-out') return;
  forgetWhy();
  if (location.pathname === SIGNED_OUT) history.replaceState(null, '', '/');
  whenSignedIn({
    person,
    signOut({ everywhere = false } = {}) {
      showGate(brand, leavingPage(brand));
      void slo.logout(signOutRequest(brand, everywhere));
    },
  });
}

async function finishSignIn(auth0: Auth0Client): Promise<void> {
  if (location.pathname !== CALLBACK) return;
  const { appState } = await auth0.handleRedirectCallback<{ returnTo?: string }>();
  history.replaceState(null, '', appState?.returnTo ?? '/');
}

/** The page for somebody who is not signed in: why, if there is a reason to tell; else the welcome. */
function showOutside({ brand, auth0 }: Outside, path = location.pathname): void {
  const isSignedOut = path === SIGNED_OUT;
  const why = isSignedOut ? recallWhy() : undefined;
  const request = signInRequest(why);
  if (path !== location.pathname) history.replaceState(null, '', path);
  showGate(brand, isSignedOut ? signedOutPage(brand, why) : welcomePage(brand), () => void auth0.loginWithRedirect(request));
}
