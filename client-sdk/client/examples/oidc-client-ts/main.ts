import { defineElements } from '@slo-hub/client/elements';
import { withOidc } from '@slo-hub/client/oidc';
import { UserManager, WebStorageStateStore } from 'oidc-client-ts';

const users = new UserManager({
  authority: 'https://acme.eu.auth0.com/',
  client_id: 'notes',
  redirect_uri: location.origin,
  post_logout_redirect_uri: location.origin,
  scope: 'openid profile offline_access',
  userStore: new WebStorageStateStore({ store: localStorage }),
});

// The page that the provider sends people back to. A nonce of its own tells one sign-in from the next.
const signIn = () => users.signinRedirect({ nonce: crypto.randomUUID() });
if (new URLSearchParams(location.search).has('state')) {
  await users.signinRedirectCallback();
  history.replaceState(null, '', location.pathname);
}

defineElements();
const notice = document.querySelector('slo-signed-out')!;
const slo = withOidc(users, {
  hub: 'https://logout.example.com',
  curtain: true,
  async onSignedOut(event) {
    await show();
    notice.event = event;
  },
});

async function show() {
  const user = slo.state === 'signed-out' ? null : await users.getUser();
  document.querySelector('main')!.hidden = !user;
  document.querySelector<HTMLElement>('#nobody')!.hidden = !!user || slo.state === 'signed-out';
  document.querySelector('#name')!.textContent = user?.profile.name ?? '';
}

document.querySelectorAll<HTMLElement>('.sign-in').forEach((button) => (button.onclick = signIn));
document.querySelector<HTMLElement>('#sign-out')!.onclick = () => slo.logout({ reason: 'You signed out in Notes' });
if ((await slo.ready) !== 'signed-out') await show();
