import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld({ portal: true, hubClient: true });
});
afterAll(() => world.close());

/** A browser in which Ada is signed in to Shop and to Portal. */
async function device() {
  const ada = await world.person('Ada Lovelace');
  const shop = await ada.signInTo('shop');
  const { sid } = await shop.idToken();
  return { ...ada, shop, sid, portal: await signInToPortal(ada) };
}

/** Portal's own sign-in; the person has a session at the tenant by now. */
async function signInToPortal({ context }) {
  const page = await context.newPage();
  await page.goto(world.urls.portal);
  await page.getByRole('link', { name: /^Sign in/ }).click();
  await signOutButton(page).waitFor();
  return page;
}

function signOutButton(page) {
  return page.getByRole('button', { name: 'Sign out this device' });
}

async function isSignedIn(page, at = '/') {
  await page.goto(world.urls.portal + at);
  const anonymous = page.getByRole('link', { name: /^Sign in/ });
  await signOutButton(page).or(anonymous).waitFor();
  return signOutButton(page).isVisible();
}

/** Waits until Portal's next page is for nobody, and says so. */
async function becomesAnonymous(page) {
  await until('Portal’s next page is for nobody', async () => !(await isSignedIn(page)));
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Your session has ended.' }).waitFor();
  expect(await page.content()).not.toContain('Ada');
}

/** Shop reports the sign-out to the hub, but the browser never gets to the tenant: no logout token is ever sent. */
async function signOutInShopOnly({ context, shop, sid }) {
  await context.route('**/logout/continue*', (route) => route.abort());
  await shop.signOut();
  await world.feed.logout('the sign-out in Shop', (event) => event.sid === sid);
}

async function portalsDeliveries({ sid }) {
  const deliveries = await world.deliveriesTo('web-portal', { sid });
  return deliveries.map(({ via, status }) => `${via} ${status}`);
}

test('the tenant’s logout token, passed on by the hub, is enough to end Portal’s session, and the phone’s goes on', async () => {
  const [laptop, phone] = await Promise.all([device(), device()]);
  await world.portal.restart({ follows: false });
  onTestFinished(() => world.portal.restart());
  expect(await isSignedIn(laptop.portal)).toBe(true);

  const account = await laptop.account();
  await account.getByRole('button', { name: /this browser/ }).click();

  await becomesAnonymous(laptop.portal);
  await until('Portal has confirmed', async () => (await portalsDeliveries(laptop)).includes('backchannel acknowledged'));
  expect(await isSignedIn(phone.portal)).toBe(true);
});

test('a sign-out that the tenant never hears of ends Portal’s session by the hub’s log, and the phone’s goes on', async () => {
  const [laptop, phone] = await Promise.all([device(), device()]);
  await signOutInShopOnly(laptop);

  await becomesAnonymous(laptop.portal);
  expect(await portalsDeliveries(laptop)).not.toContain('backchannel acknowledged');
  for (const at of ['/', '/payslips', '/leave']) expect(await isSignedIn(laptop.portal, at)).toBe(false);
  expect(await isSignedIn(phone.portal)).toBe(true);
});

test('an open page of Portal does not wait to be asked: it becomes the signed-out page by itself', async () => {
  const laptop = await device();
  const other = await laptop.context.newPage();
  await other.goto(`${world.urls.portal}/payslips`);

  await signOutInShopOnly(laptop);

  for (const page of [laptop.portal, other]) {
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.getByText('Your session has ended.').waitFor();
  }
});

test('Portal can be stopped while pages of it are open, and they learn of a logout when it is back', async () => {
  const laptop = await device();
  await world.portal.stop();
  await signOutInShopOnly(laptop);

  await world.portal.start();

  await laptop.portal.getByRole('heading', { name: 'You are signed out' }).waitFor();
});

test('a Portal that was down during the logout opens with the session over, and with the phone’s as it was', async () => {
  const [laptop, phone] = await Promise.all([device(), device()]);
  await world.portal.kill();
  await signOutInShopOnly(laptop);

  await world.portal.start();

  await becomesAnonymous(laptop.portal);
  expect(await isSignedIn(phone.portal)).toBe(true);
});

test('“Sign out this device”, without scripts, signs Shop and Notes out there, ends at Portal, and spares the phone', async () => {
  const [laptop, phone] = await Promise.all([device(), device()]);
  const notes = await laptop.signInTo('notes');
  const devtools = await laptop.context.newCDPSession(laptop.portal);
  await devtools.send('Emulation.setScriptExecutionDisabled', { value: true });

  await signOutButton(laptop.portal).click();

  await laptop.portal.getByText('You signed out in Portal.').waitFor();
  expect(new URL(laptop.portal.url()).origin).toBe(world.urls.portal);
  expect(laptop.portal.url()).not.toContain('id_token_hint');
  await notes.showsSignedOut(/./);
  await laptop.shop.showsSignedOut(/./);
  expect(await isSignedIn(laptop.portal)).toBe(false);
  expect(await isSignedIn(phone.portal)).toBe(true);
  expect(await phone.shop.isSignedIn()).toBe(true);
});

test('the way back from a sign-out is believed only in the browser that left', async () => {
  const laptop = await device();
  await signOutButton(laptop.portal).click();
  await laptop.portal.getByText('You signed out in Portal.').waitFor();
  const back = laptop.portal.url();

  const other = await (await world.person('Grace Hopper')).context.newPage();
  await other.goto(back);

  await other.getByText('Your session has ended.').waitFor();
});

test('Back, after a sign-out, shows nothing of the person', async () => {
  const laptop = await device();
  await laptop.portal.getByRole('link', { name: 'Payslips', exact: true }).click();
  await laptop.portal.getByRole('heading', { name: 'Payslips' }).waitFor();
  await signOutInShopOnly(laptop);
  await becomesAnonymous(laptop.portal);

  await laptop.portal.goBack();

  await laptop.portal.getByRole('link', { name: /^Sign in/ }).waitFor();
  expect(await laptop.portal.content()).not.toContain('Ada');
});

test('a logout token that the tenant did not sign, or for another app, ends nothing', async () => {
  const laptop = await device();
  const { sub } = await laptop.shop.idToken();
  const claims = { sid: laptop.sid, sub };
  const [good, shops] = await Promise.all(
    ['web-portal', 'spa-shop'].map((clientId) => world.tenant.backchannel.logoutToken({ clientId, ...claims })),
  );
  const url = `http://localhost:${new URL(world.urls.portal).port}/auth/backchannel-logout`;
  const deliver = (token) => fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token: token }) });

  for (const bad of [shops, `${good.slice(0, -8)}AAAAAAAA`]) expect((await deliver(bad)).ok).toBe(false);
  expect(await isSignedIn(laptop.portal)).toBe(true);
  expect((await deliver(good)).status).toBe(204);
  await becomesAnonymous(laptop.portal);
});

test('while the tenant is away, a sign-in ends on a page that says so', async () => {
  const page = await (await world.person('Ada Lovelace')).context.newPage();
  await world.portal.restart();
  await world.tenant.close();
  onTestFinished(() => world.tenant.listen());

  await page.goto(world.urls.portal);
  await page.getByRole('link', { name: 'Sign in' }).click();

  await page.getByRole('heading', { name: 'We could not sign you in' }).waitFor();
});

test('no other site’s form signs anybody out, and nextjs-auth0’s own logout link is shut', async () => {
  const laptop = await device();
  const cookie = (await laptop.context.cookies(world.urls.portal)).map(({ name, value }) => `${name}=${value}`).join('; ');
  const portal = `http://localhost:${new URL(world.urls.portal).port}`;
  for (const origin of ['http://evil.example', 'null', undefined]) {
    const headers = { cookie, ...(origin && { origin }) };
    expect((await fetch(`${portal}/sign-out`, { method: 'POST', headers, redirect: 'manual' })).status).toBe(403);
  }
  expect((await fetch(`${portal}/auth/logout`, { headers: { cookie }, redirect: 'manual' })).status).toBe(404);
  expect(await isSignedIn(laptop.portal)).toBe(true);
});

test('Portal’s pages run only scripts of their own, and no page with a person on it is kept', async () => {
  const laptop = await device();
  const faults = [];
  laptop.portal.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  laptop.portal.on('pageerror', (error) => faults.push(error.message));
  const response = await laptop.portal.reload();

  const policy = response.headers()['content-security-policy'];
  expect(policy).toMatch(/default-src 'none'; script-src 'nonce-[^']+' 'strict-dynamic'/);
  expect(response.headers()['cache-control']).toContain('no-store');
  await laptop.portal.waitForLoadState('networkidle');
  expect(faults).toEqual([]);
});

test('Portal’s database and its place in the log are for their owner only', async () => {
  const laptop = await device();
  await signOutInShopOnly(laptop);
  const { id } = await world.feed.logout('the sign-out', ({ sid }) => sid === laptop.sid);
  const place = `${world.folder}/portal.db.logouts`;
  await until('the place is saved', async () => (await readFile(place, 'utf8')).trim() === id);
  for (const file of [place, ...['', '-wal'].map((end) => `${world.folder}/portal.db${end}`)]) {
    expect((await stat(file)).mode & 0o077, file).toBe(0);
  }
});
