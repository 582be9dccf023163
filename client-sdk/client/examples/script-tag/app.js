const element = (selector) => document.querySelector(selector);

async function begin() {
  const auth0 = await window.auth0.createAuth0Client({
    domain: 'acme.eu.auth0.com',
    clientId: 'notes',
    authorizationParams: { redirect_uri: location.origin },
    useRefreshTokens: true,
    cacheLocation: 'localstorage',
  });
  if (new URLSearchParams(location.search).has('state')) {
    await auth0.handleRedirectCallback();
    history.replaceState(null, '', location.pathname);
  }

  const slo = SloHub.withAuth0(auth0, {
    hub: 'https://logout.example.com',
    curtain: true,
    onSignedOut(event) {
      element('main').replaceChildren();
      element('slo-signed-out').event = event;
    },
  });

  for (const button of document.querySelectorAll('.sign-in')) button.onclick = () => auth0.loginWithRedirect();
  element('#sign-out').onclick = () =>
    slo.logout({ reason: 'You signed out in Notes', logoutParams: { returnTo: location.origin } });

  if ((await slo.ready) === 'signed-out') return;
  const user = await auth0.getUser();
  element('main').hidden = !user;
  element('#nobody').hidden = !!user;
  element('#name').textContent = user?.name ?? '';
}

begin();
