/** The custom element as a page meets it. Compiled against the built declarations, never run. */
import { createSlo } from '@slo-hub/client';
import { withAuth0, type Auth0Like } from '@slo-hub/client/auth0';
import {
  defineElements, SIGNED_OUT_NOTICE, type IdleWarningElement, type SessionsElement, type SignedOutEvent, type SignedOutNoticeElement,
} from '@slo-hub/client/elements';

defineElements();
declare const event: SignedOutEvent;
const made: SignedOutNoticeElement = document.createElement('slo-signed-out');
const found: SignedOutNoticeElement | null = document.querySelector(SIGNED_OUT_NOTICE);
made.event = event;
made.event = undefined;
made.event = null;
const told: SignedOutEvent | null = made.event;
void [found, told];
// @ts-expect-error an event is more than its reason
made.event = { reason: 'Bye' };

const slo = createSlo({ hub: '', getToken: () => null });
const dialog: IdleWarningElement = document.createElement('slo-idle-warning');
const list: SessionsElement = document.createElement('slo-sessions');
declare const auth0: Auth0Like;
for (const client of [slo, withAuth0(auth0, { hub: '' }), null, undefined]) dialog.client = list.client = client;
void list.refresh();
dialog.addEventListener('slo-sign-out', (event) => event.preventDefault());
list.addEventListener('slo-fresh-sign-in', ({ detail }) => {
  const maxAge: 0 = detail.maxAge;
  detail.waitUntil(Promise.resolve(maxAge));
});
// @ts-expect-error a client is more than its state
dialog.client = { state: 'connected' };
// @ts-expect-error the list asks with the client's token
list.client = { state: slo.state, ready: slo.ready, on: slo.on, signOut: slo.signOut };
