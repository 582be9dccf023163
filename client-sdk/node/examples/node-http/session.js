import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import * as openid from 'openid-client';
import { sqliteSessionStore } from '@slo-hub/node/stores';

const { BASE_URL, CLIENT_ID, CLIENT_SECRET, HUB, ISSUER } = process.env;
const CALLBACK = `${BASE_URL}/callback`;
const DAY = 24 * 60 * 60;

// Only a provider on this machine is asked without TLS.
const execute = ISSUER.startsWith('http://localhost') ? [openid.allowInsecureRequests] : [];
const provider = await openid.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, { execute });

export const sessions = sqliteSessionStore(new Database('sessions.db'));

/** Where to send the browser, and the cookie by which it is known when it comes back. */
export async function beginSignIn() {
  const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
  const address = openid.buildAuthorizationUrl(provider, {
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  return { address: address.href, cookie: cookie('signing_in', [verifier, state, nonce].join('!'), 600) };
}

/** The cookie of a new session, for a browser that comes back from the provider. */
export async function finishSignIn(url, cookies) {
  const [pkceCodeVerifier, expectedState, expectedNonce] = (named('signing_in', cookies) ?? '').split('!');
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await openid.authorizationCodeGrant(provider, new URL(url, BASE_URL), checks);
  const { sub, sid } = tokens.claims();
  const id = randomBytes(32).toString('base64url');
  const createdAt = Math.floor(Date.now() / 1000);
  await sessions.set(id, { user: { sub }, tokenSet: { idToken: tokens.id_token }, internal: { sid, createdAt } });
  return cookie('session', id, 3 * DAY);
}

export async function sessionOf(cookies) {
  const id = named('session', cookies);
  return id ? sessions.get(id) : null;
}

export function page(session) {
  if (!session) return '<a href="/login">Sign in</a>';
  return `
    <p>You are signed in.</p>
    <form method="post" action="${HUB}/logout">
      <input type="hidden" name="id_token_hint" value="${session.tokenSet.idToken}">
      <input type="hidden" name="post_logout_redirect_uri" value="${BASE_URL}/">
      <button>Sign out</button>
    </form>`;
}

function cookie(name, value, seconds) {
  const secure = BASE_URL.startsWith('https:') ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

function named(name, cookies = '') {
  const pair = cookies.split('; ').find((one) => one.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}
