import type { Auth0Client } from '@auth0/auth0-spa-js';
import type { Auth0SloClient } from '@slo-hub/client/auth0';
import { defineElements } from '@slo-hub/client/elements';

/** Called by the account page, which has a `<slo-sessions>`. */
export function showSessions(auth0: Auth0Client, slo: Auth0SloClient): void {
  defineElements();
  const list = document.querySelector('slo-sessions')!;
  list.client = slo;
  list.addEventListener('slo-fresh-sign-in', ({ detail }) => {
    detail.waitUntil(auth0.loginWithPopup({ authorizationParams: { max_age: detail.maxAge } }));
  });
}
