import { createSlo } from '@slo-hub/client';
import { defineElements } from '@slo-hub/client/elements';

defineElements();

const slo = createSlo({
  hub: 'https://logout.example.com',
  // The back end that keeps the session has the ID token: 204 where nobody is signed in.
  async getToken({ signal }) {
    const response = await fetch('/session/id-token', { signal });
    return response.status === 200 ? response.text() : null;
  },
  async onSignedOut(event) {
    document.querySelector('main')?.remove();
    await fetch('/session', { method: 'DELETE' });
    document.querySelector('slo-signed-out')!.event = event;
  },
});
// Takes the notice away again: somebody has signed in without a page load.
slo.on('state', ({ state }) => {
  if (state === 'connected') document.querySelector('slo-signed-out')!.event = null;
});

const warning = document.querySelector('slo-idle-warning')!;
warning.client = slo;
warning.addEventListener('slo-sign-out', async (event) => {
  event.preventDefault(); // The session of this app has to end too.
  const { continueUrl } = await slo.signOut();
  await fetch('/session', { method: 'DELETE' });
  location.assign(continueUrl ?? '/');
});
