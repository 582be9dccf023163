import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { decodeJwt } from 'jose';
import { startSetting } from './setting.js';

const ADA = 'auth0|ada';

let here;
beforeEach(async () => {
  here = await startSetting();
});
afterEach(() => here.close());

/** A browser in which this person is signed in to Desk. */
async function signedIn(user = ADA) {
  const browser = here.browser();
  await browser.signIn(user);
  const { sid, sub } = decodeJwt((await browser.leaving()).id_token_hint);
  return Object.assign(browser, { sid, sub });
}

const isSignedIn = async (browser) => (await browser.page()).includes('You are signed in as');

test('nobody sees a ticket before signing in; whoever has signed in sees who they are, and the tickets', async () => {
  const browser = here.browser();
  const outside = await browser.page();
  assert.ok(outside.includes('Sign in') && !outside.includes('The lamp flickers'));

  const { response, page } = await browser.signIn(ADA);

  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.ok(page.includes('Ada Lovelace') && page.includes('The lamp flickers'));
  assert.ok(!page.includes('<script'));
});

test('the tenant’s logout token ends the session it names: the next request is anonymous', async () => {
  const laptop = await signedIn();
  const response = await here.deliver(await here.logoutToken(laptop));
  assert.equal(response.status, 204);

  const page = await laptop.page();
  assert.ok(page.includes('Your session has ended.') && !page.includes('The lamp flickers'));
  assert.ok(!page.includes('Ada'));
});

test('the same person’s other devices stay signed in, and signing in anew brings no ended session back', async () => {
  const [laptop, phone] = [await signedIn(), await signedIn()];
  await here.deliver(await here.logoutToken(laptop));
  assert.ok(await isSignedIn(phone));

  const again = await signedIn();
  assert.ok(await isSignedIn(again));
  assert.ok(!(await isSignedIn(laptop)));
});

test('a logout token with a sub alone ends every session of that person and nobody else’s', async () => {
  const [laptop, phone, grace] = [await signedIn(), await signedIn(), await signedIn('auth0|grace')];
  await here.deliver(await here.logoutToken({ sub: ADA }));
  assert.deepEqual(await Promise.all([laptop, phone, grace].map(isSignedIn)), [false, false, true]);
});

test('a token that the tenant did not sign, or for another app, or without an event, is 400 and ends nothing', async () => {
  const laptop = await signedIn();
  const good = await here.logoutToken(laptop);
  const { events, ...eventless } = decodeJwt(good);
  const bad = [
    'nonsense',
    `${good.slice(0, -8)}AAAAAAAA`,
    await here.tenant.sign(eventless),
    await here.tenant.sign({ ...eventless, events, aud: 'spa-shop' }),
    await here.tenant.sign({ ...eventless, events, nonce: 'n' }),
    await here.tenant.sign({ ...eventless, events, exp: eventless.iat - 3600 }),
    await here.tenant.sign({ ...eventless, events, sid: 7 }),
  ];
  for (const token of bad) assert.equal((await here.deliver(token)).status, 400, token);
  assert.ok(await isSignedIn(laptop));
});

test('sessions, and the marks of those that have ended, outlive a crash', async () => {
  const [laptop, phone] = [await signedIn(), await signedIn()];
  assert.equal((await here.deliver(await here.logoutToken(laptop))).status, 204);
  await here.restart();
  assert.ok(await isSignedIn(phone));
  assert.ok(!(await isSignedIn(laptop)));
});

test('signing out ends Desk’s session at once, and takes the browser to the hub with the token in a form', async () => {
  const laptop = await signedIn();
  const fields = await laptop.leaving();
  const response = await laptop.request('/sign-out', {
    method: 'POST',
    headers: { origin: here.url },
    body: new URLSearchParams(fields),
  });

  // 307: the browser posts the same fields there.
  assert.equal(response.status, 307);
  assert.equal(response.headers.get('location'), 'http://localhost:4000/logout');
  assert.deepEqual(Object.keys(fields), ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state']);
  assert.equal(fields.client_id, 'web-desk');
  assert.equal(fields.post_logout_redirect_uri, `${here.url}/signed-out`);
  assert.ok((await laptop.page(`/signed-out?state=${fields.state}`)).includes('You signed out in Desk.'));
  assert.ok(!(await isSignedIn(laptop)));
});

test('the signed-out page believes only the state that this browser left with', async () => {
  const laptop = await signedIn();
  const body = new URLSearchParams(await laptop.leaving());
  await laptop.request('/sign-out', { method: 'POST', headers: { origin: here.url }, body });
  assert.ok((await laptop.page('/signed-out?state=another')).includes('Your session has ended.'));
});

test('no other site’s form signs anybody out', async () => {
  const laptop = await signedIn();
  for (const origin of ['http://evil.example', 'null', undefined]) {
    const response = await laptop.request('/sign-out', { method: 'POST', headers: { ...(origin && { origin }) } });
    assert.equal(response.status, 403);
  }
  assert.ok(await isSignedIn(laptop));
});

test('a cookie that names the mark of a logout does not remove it', async () => {
  const laptop = await signedIn();
  await here.deliver(await here.logoutToken(laptop));
  const { default: Database } = await import('libsql');
  const database = new Database(here.database);
  const marks = database.prepare('SELECT id FROM logout_marks').all().map(({ id }) => id);
  assert.equal(marks.length, 1);
  await fetch(here.url, { headers: { cookie: `desk_session=${encodeURIComponent(marks[0])}` } });
  assert.equal(database.prepare('SELECT count(*) AS n FROM logout_marks').get().n, 1);
  database.close();
});

test('the database, which holds tokens, is for its owner only', async () => {
  for (const file of ['', '-wal']) assert.equal((await stat(here.database + file)).mode & 0o077, 0, file);
});

test('an unfinished sign-in, and a page that is not there, say so without details', async () => {
  const browser = here.browser();
  const { response, page } = await browser.visit('/callback?code=abc&state=def');
  assert.equal(response.status, 400);
  assert.ok(page.includes('We could not sign you in') && !page.includes('desk_signing_in'));
  assert.equal((await browser.request('/nothing')).status, 404);
});
