import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { authorizeUrl } from './browser.js';
import { startTenant } from './setting.js';

let here;
beforeEach(async () => {
  here = await startTenant();
});
afterEach(() => here.close());

const verify = (token, options) =>
  jwtVerify(token, createRemoteJWKSet(new URL('/.well-known/jwks.json', here.tenant.issuer)), options);

test('both apps of a browser session get genuine ID tokens with one sid', async () => {
  const browser = here.browser();
  const notes = await browser.signIn(here.notes, 'auth0|ada');
  const shop = await browser.signIn(here.shop, 'auth0|ada');

  const { payload, protectedHeader } = await verify(notes.id_token, { issuer: here.tenant.issuer, audience: 'spa-notes' });
  assert.equal(protectedHeader.alg, 'RS256');
  assert.match(payload.iss, /^http:\/\/localhost:\d+\/$/);
  assert.equal(payload.name, 'Ada Lovelace');
  assert.equal(payload.sid, decodeJwt(shop.id_token).sid);
});

test('another browser of the same person has another sid', async () => {
  const [one, other] = [here.browser(), here.browser()];
  const first = decodeJwt((await one.signIn(here.notes, 'auth0|ada')).id_token);
  const second = decodeJwt((await other.signIn(here.notes, 'auth0|ada')).id_token);
  assert.equal(first.sub, second.sub);
  assert.notEqual(first.sid, second.sid);
});

test('the hub learns the session of a browser, without a page and without a refresh token', async () => {
  const browser = here.browser();
  assert.deepEqual(await browser.askWho(here.hub), { error: 'login_required' });
  const { sid, sub } = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);

  const { id_token: token, refresh_token: refresh } = await browser.askWho(here.hub);

  const { payload } = await verify(token, { issuer: here.tenant.issuer, audience: 'slo-hub' });
  assert.deepEqual([payload.sid, payload.sub], [sid, sub]);
  assert.equal(refresh, undefined);
});

test('a logout tells each app of the session with a token of its own', async () => {
  const browser = here.browser();
  const { sid, sub } = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
  await browser.signIn(here.shop, 'auth0|ada');

  await browser.visit('/v2/logout?client_id=spa-shop');

  const tokens = await here.logoutTokens();
  assert.deepEqual(tokens.map((token) => decodeJwt(token).aud).sort(), ['spa-notes', 'spa-shop']);
  for (const token of tokens) {
    const { payload, protectedHeader } = await verify(token, { issuer: here.tenant.issuer });
    assert.equal(protectedHeader.typ, 'JWT');
    assert.deepEqual([payload.sid, payload.sub], [sid, sub]);
    assert.ok('http://schemas.openid.net/event/backchannel-logout' in payload.events);
    assert.ok(!('nonce' in payload));
  }
});

test('a logout leaves other sessions of the same person alone', async () => {
  const [one, other] = [here.browser(), here.browser()];
  await one.signIn(here.notes, 'auth0|ada');
  const { sid } = decodeJwt((await other.signIn(here.notes, 'auth0|ada')).id_token);

  await one.visit('/v2/logout');

  assert.equal((await here.logoutTokens()).length, 1);
  const { body } = await here.api('GET', '/api/v2/users/auth0%7Cada/sessions');
  assert.deepEqual(body.sessions.map(({ id }) => id), [sid]);
});

test('after a logout a sign-in begins a new session', async () => {
  const browser = here.browser();
  const before = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
  await browser.visit('/v2/logout');
  const after = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
  assert.notEqual(before.sid, after.sid);
});

test('/v2/logout goes only where the application allows, and ends nothing otherwise', async () => {
  const browser = here.browser();
  await browser.signIn(here.shop, 'auth0|ada');

  const refused = await browser.visit('/v2/logout?client_id=spa-shop&returnTo=https://evil.example/');
  assert.equal(refused.status, 400);
  assert.equal((await here.logoutTokens()).length, 0);

  const returnTo = encodeURIComponent('http://shop.localhost:4011/signed-out');
  const allowed = await browser.visit(`/v2/logout?client_id=spa-shop&returnTo=${returnTo}`);
  assert.equal(allowed.headers.get('location'), 'http://shop.localhost:4011/signed-out');
});

test('/oidc/logout takes an ID token as the hint and returns the state', async () => {
  const browser = here.browser();
  const { id_token: hint } = await browser.signIn(here.shop, 'auth0|ada');
  const uri = 'http://shop.localhost:4011/signed-out';
  const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: uri, state: 'a b&c' });

  const response = await browser.visit(`/oidc/logout?${query}`);

  const location = new URL(response.headers.get('location'));
  assert.equal(location.searchParams.get('state'), 'a b&c');
  assert.equal((await here.logoutTokens()).length, 1);
});

test('/oidc/logout refuses a hint that it did not sign, or that is for another client', async () => {
  const browser = here.browser();
  const { id_token: hint } = await browser.signIn(here.shop, 'auth0|ada');
  const forged = `${hint.slice(0, -8)}AAAAAAAA`;
  assert.equal((await browser.visit(`/oidc/logout?id_token_hint=${forged}`)).status, 400);
  assert.equal((await browser.visit(`/oidc/logout?id_token_hint=${hint}&client_id=spa-notes`)).status, 400);
  assert.equal((await here.logoutTokens()).length, 0);
});

test('refresh tokens rotate, keep the sid, and outlive the session', async () => {
  const browser = here.browser();
  const first = await browser.signIn(here.notes, 'auth0|ada');
  await browser.visit('/v2/logout');
  const refresh = (token) => browser.token({ grant_type: 'refresh_token', client_id: 'spa-notes', refresh_token: token });

  const second = await refresh(first.refresh_token);

  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(decodeJwt(second.id_token).sid, decodeJwt(first.id_token).sid);
  assert.equal((await refresh(first.refresh_token)).error, 'invalid_grant');
});

test('a session revoked by the API is silent, until the initiators name session-revoked', async () => {
  const browser = here.browser();
  const revoke = async () => {
    const { sid } = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
    assert.equal((await here.api('POST', `/api/v2/sessions/${sid}/revoke`)).status, 202);
    return (await here.logoutTokens()).length;
  };
  assert.equal(await revoke(), 0);

  const initiators = { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout', 'session-revoked'] };
  const { status, body } = await here.api('PATCH', '/api/v2/clients/spa-notes', {
    oidc_logout: { backchannel_logout_initiators: initiators },
  });
  assert.equal(status, 200);
  assert.deepEqual(body.oidc_logout.backchannel_logout_initiators, initiators);
  assert.equal(body.oidc_logout.backchannel_logout_urls.length, 1);
  assert.equal(await revoke(), 1);
});

test('revoking a session takes its refresh tokens, deleting it does not', async () => {
  const browser = here.browser();
  const endBy = async (method, suffix) => {
    const tokens = await browser.signIn(here.notes, 'auth0|ada');
    await here.api(method, `/api/v2/sessions/${decodeJwt(tokens.id_token).sid}${suffix}`);
    return browser.token({ grant_type: 'refresh_token', client_id: 'spa-notes', refresh_token: tokens.refresh_token });
  };
  assert.equal((await endBy('POST', '/revoke')).error, 'invalid_grant');
  assert.ok((await endBy('DELETE', '')).id_token);
});

test('the management API wants a token with the right scope', async () => {
  const { issuer } = here.tenant;
  assert.equal((await fetch(`${issuer}api/v2/clients/spa-notes`)).status, 401);
  const { access_token: token } = await here.browser().token({
    grant_type: 'client_credentials',
    client_id: 'demo-management',
    client_secret: 'demo-management-secret',
    audience: `${issuer}api/v2/`,
    scope: 'read:clients',
  });
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${issuer}api/v2/clients/spa-notes`, { headers })).status, 200);
  assert.equal((await fetch(`${issuer}api/v2/sessions/x`, { method: 'DELETE', headers })).status, 403);
});

test('a person ends a session on the account page, and its apps are told', async () => {
  const browser = here.browser();
  const { sid } = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
  const page = await (await browser.visit('/account')).text();
  assert.ok(page.includes('This browser') && page.includes('Firefox on Linux'));

  await browser.submit(`/account/sessions/${sid}/end`, {});

  assert.deepEqual((await here.logoutTokens()).map((token) => decodeJwt(token).sid), [sid]);
});

test('nobody ends the session of somebody else, or from another site', async () => {
  const [ada, grace] = [here.browser(), here.browser()];
  const { sid } = decodeJwt((await ada.signIn(here.notes, 'auth0|ada')).id_token);
  await grace.signIn(here.notes, 'auth0|grace');

  assert.equal((await grace.submit(`/account/sessions/${sid}/end`, {})).status, 404);
  const foreign = { method: 'POST', headers: { origin: 'http://evil.example' } };
  assert.equal((await ada.request(`/account/sessions/${sid}/end`, foreign)).status, 403);
  assert.equal((await here.logoutTokens()).length, 0);
});

test('prompt=none answers by web message, signed in or not', async () => {
  const browser = here.browser();
  const silent = authorizeUrl(here.notes, 'v'.repeat(43), { prompt: 'none', response_mode: 'web_message' });
  assert.match(await (await browser.visit(silent)).text(), /"error":"login_required"/);
  await browser.signIn(here.notes, 'auth0|ada');
  assert.match(await (await browser.visit(silent)).text(), /"code":"/);
});

test('the token endpoint is open to the web origins of the app, with auth0-spa-js headers', async () => {
  const url = `${here.tenant.issuer}oauth/token`;
  const origin = here.notes.web_origins[0];
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'auth0-client' },
  });
  assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
  assert.match(preflight.headers.get('access-control-allow-headers'), /auth0-client/);

  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'spa-notes', refresh_token: 'x' });
  const foreign = await fetch(url, { method: 'POST', headers: { origin: 'http://evil.example' }, body });
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
});

test('rotated keys sign from then on; sessions live on', async () => {
  const browser = here.browser();
  const before = (await browser.signIn(here.notes, 'auth0|ada')).id_token;
  await here.tenant.rotateKeys();
  const after = (await browser.signIn(here.shop, 'auth0|ada')).id_token;

  assert.notEqual(decodeProtectedHeader(before).kid, decodeProtectedHeader(after).kid);
  assert.equal(decodeJwt(before).sid, decodeJwt(after).sid);
  await verify(before);
  await verify(after);
});

test('signing in as somebody else ends the former session, and its apps are told', async () => {
  const browser = here.browser();
  const { sid } = decodeJwt((await browser.signIn(here.notes, 'auth0|ada')).id_token);
  await browser.visit(authorizeUrl(here.notes, 'v'.repeat(43), { prompt: 'login' }));

  // oidc-provider first ends the session by a form that sends itself.
  const form = await (await browser.submit('/u/login', { user: 'auth0|grace' })).text();
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)[1];
  const back = await browser.submit('/oidc/logout/confirm', { xsrf, logout: 'yes' });

  assert.equal(new URL(back.headers.get('location')).pathname, '/');
  assert.deepEqual((await here.logoutTokens()).map((token) => decodeJwt(token).sid), [sid]);
  const sessionsOf = async (id) => (await here.api('GET', `/api/v2/users/${encodeURIComponent(id)}/sessions`)).body.sessions;
  assert.equal((await sessionsOf('auth0|ada')).length, 0);
  assert.equal((await sessionsOf('auth0|grace')).length, 1);
});
