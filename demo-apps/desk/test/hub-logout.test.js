import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DEMO_DESK } from '@slo-hub-demo/tenant/demo';
import { startSetting } from './setting.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ADA = 'auth0|ada';

let hub;
let here;
beforeEach(async () => {
  hub = await startHubKeys();
  here = await startSetting({ hub: hub.url });
});
afterEach(async () => {
  await here.close();
  hub.close();
});

/** What Desk asks the hub for: the keys by which its tokens are verified. */
async function startHubKeys() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  let isAway = false;
  const server = http.createServer((_request, response) => {
    response.writeHead(isAway ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://localhost:${server.address().port}`;
  return {
    url,
    goesAway: () => (isAway = true),
    close: () => (server.closeAllConnections(), server.close()),
    /** A token of the hub's about a logout of just now. */
    token({ sid, sub }, { audience = DEMO_DESK.client_id } = {}) {
      const claims = { sid, sub, jti: crypto.randomUUID(), txn: ulid(Date.now()), events: { [EVENT]: {} } };
      const token = new SignJWT(JSON.parse(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid: 'k1' })
        .setIssuer(url)
        .setAudience(audience);
      return token.setIssuedAt().setExpirationTime('2m').sign(privateKey);
    },
  };
}

/** Names a moment, in ms since 1970, as the hub names its logouts. */
function ulid(time) {
  const digit = (place) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Math.floor(time / 32 ** place) % 32];
  return Array.from({ length: 10 }, (_, at) => digit(9 - at)).join('').padEnd(26, '0');
}

async function signedIn() {
  const browser = here.browser();
  await browser.signIn(ADA);
  const { sid, sub } = decodeJwt((await browser.leaving()).id_token_hint);
  return Object.assign(browser, { sid, sub });
}

const isSignedIn = async (browser) => (await browser.page()).includes('You are signed in as');

async function posts(fields) {
  const response = await fetch(`${here.url}/hub-logout`, { method: 'POST', body: new URLSearchParams(fields) });
  return response.status;
}

test('the hub’s own token ends the session it names, and the same person’s other devices stay', async () => {
  const [laptop, phone] = [await signedIn(), await signedIn()];
  assert.equal(await posts({ logout_token: await hub.token(phone) }), 204);
  assert.deepEqual([await isSignedIn(laptop), await isSignedIn(phone)], [true, false]);
});

test('what is no token of the hub’s for Desk is 400 and ends nothing', async () => {
  const laptop = await signedIn();
  const another = await hub.token(laptop, { audience: 'web-portal' });
  for (const fields of [{}, { logout_token: 'x' }, { logout_token: another }]) {
    assert.equal(await posts(fields), 400);
  }
  assert.ok(await isSignedIn(laptop));
});

test('while the hub’s keys cannot be had a token is 503, so that it comes again', async () => {
  const laptop = await signedIn();
  hub.goesAway();
  assert.equal(await posts({ logout_token: await hub.token(laptop) }), 503);
  assert.ok(await isSignedIn(laptop));
});
