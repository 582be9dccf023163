import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DEMO_DESK, DEMO_PORTAL, DEMO_USERS } from '../../../demo-apps/tenant/lib/demo.js';
import { LAPTOP, PHONE, SessionsPage } from '../rig/sessions-page.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

const ON_PHONE = 'Chrome on Android';
const ON_LAPTOP = 'Chrome on macOS';

let world;
let laptop;
let phone;
let list;
beforeAll(async () => {
  // The tenant is as Auth0 comes: it sends nobody a logout token of a session that was revoked.
  world = await startWorld({ desk: true, portal: true, hubClient: true, management: true });
});
afterAll(() => world.close());
beforeEach(async () => {
  [laptop, phone] = await Promise.all([device(LAPTOP), device(PHONE)]);
  list = await SessionsPage.open(laptop.person, world.urls.hub);
});
afterEach(async () => {
  // What one story has left is none of the next one's. The tenant tells nobody of what is revoked there.
  // Its pages go first: Chromium may take minutes to close one that has just been sent to sign out.
  await Promise.all([laptop, phone].map(({ person }) => person.context.close()));
  const { issuer } = world.tenant;
  const ends = [laptop, phone].map(({ sid }) => world.hub.run('logout', '--issuer', issuer, '--sid', sid, '--yes'));
  await Promise.all(ends);
  await world.managementApi('DELETE', `users/${encodeURIComponent(DEMO_USERS[0].id)}/sessions`);
  await world.tenant.backchannel.settled();
});

/** Ada with a browser of her own, signed in to Notes, Shop, Desk and Portal. */
async function device(userAgent, options = {}) {
  const person = await world.person('Ada Lovelace', { userAgent, ...options });
  const notes = await person.signInTo('notes');
  const shop = await person.signInTo('shop');
  const served = [await signInTo(person, world.urls.desk), await signInTo(person, world.urls.portal)];
  return { person, notes, shop, served, sid: (await notes.idToken()).sid };
}

/** An app that signs people in on its server; the person has a session at the tenant by now. */
async function signInTo({ context }, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole('link', { name: /^Sign in/ }).first().click();
  await page.getByRole('button', { name: /^Sign out/ }).waitFor();
  return page;
}

async function isSignedInAfterReload(page) {
  await page.reload();
  const anonymous = page.getByRole('link', { name: /^Sign in/ }).first();
  const signOut = page.getByRole('button', { name: /^Sign out/ });
  await signOut.or(anonymous).first().waitFor();
  return signOut.isVisible();
}

async function allSignedOut({ notes, shop, served }) {
  await notes.showsSignedOut('You signed out from another device');
  await shop.showsSignedOut('You signed out from another device');
  for (const page of served) {
    await until(`${page.url()} has ended its session too`, async () => !(await isSignedInAfterReload(page)));
  }
}

async function allSignedIn({ notes, shop, served }) {
  expect([await notes.isSignedIn(), await shop.isSignedIn()]).toEqual([true, true]);
  for (const page of served) expect(await isSignedInAfterReload(page)).toBe(true);
}

test('the laptop’s list shows both devices, the current one first, with their apps', async () => {
  expect((await list.devices()).slice(0, 1)).toEqual([`${ON_LAPTOP}\nCurrent`]);
  await list.row(ON_PHONE).getByText('Desk, Notes, Portal, Shop').first().waitFor();
  await list.row(ON_PHONE).getByText('Active now').first().waitFor();
  expect(await list.row(ON_LAPTOP).first().getByText('Current').count()).toBe(1);
});

test('"Sign out" of the phone ends the phone’s apps, and the laptop stays', async () => {
  const before = await list.row(ON_PHONE).count();
  await list.signOut(ON_PHONE);
  await allSignedOut(phone);
  await list.says('Signed out in 4 of 4 apps');
  await allSignedIn(laptop);
  await list.goTo();
  expect(await list.row(ON_PHONE).count()).toBe(before - 1);
});

test('a tenant that sends tokens of revoked sessions as well changes nothing for people', async () => {
  const apps = [DEMO_DESK, DEMO_PORTAL];
  const tellOf = (initiators) =>
    Promise.all(apps.map(({ client_id: id }) => world.managementApi('PATCH', `clients/${id}`, { oidc_logout: initiators })));
  onTestFinished(() => tellOf({ backchannel_logout_initiators: { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout'] } }));
  await tellOf({ backchannel_logout_initiators: { mode: 'all' } });
  await list.signOut(ON_PHONE);
  await allSignedOut(phone);
  await list.says('Signed out in 4 of 4 apps');
  await allSignedIn(laptop);
});

test('an app that hears of it from nobody is not said to be signed out', async () => {
  onTestFinished(() => world.portal.restart());
  await world.portal.restart({ follows: false });
  await list.signOut(ON_PHONE);
  await list.says('Signed out in 3 of 4 apps');
  const portal = list.page.getByRole('listitem').filter({ hasText: 'Portal' });
  await portal.getByText('not told, may still be signed in').waitFor({ timeout: 20_000 });
  expect(await isSignedInAfterReload(phone.served[1])).toBe(true);
});

test('"Sign out everywhere else" says what it ends, ends it, and the laptop stays', async () => {
  await list.everywhereElse();
  const said = await list.page.locator('.lead').innerText();
  const [, sessions] = said.match(/^This ends (\d+) sessions? on \d+ devices?, 4 apps\. You stay signed in here\.$/);
  await list.page.getByRole('button', { name: /^Sign out \d+ session/ }).click();

  await allSignedOut(phone);
  await list.says('Signed out in 4 of 4 apps');
  expect(await list.page.locator('[data-ended]').count()).toBe(Number(sessions));
  await allSignedIn(laptop);
  await list.goTo();
  await list.page.getByText('You are signed in nowhere else.').waitFor();
});

test('who has to prove it once more signs in at the tenant, comes back to what they wanted, and stays who they were', async () => {
  await list.page.goto(`${world.urls.hub}/sessions/prove?others=1`);
  await list.page.getByRole('button', { name: 'Ada Lovelace' }).click();
  await list.page.getByRole('heading', { name: 'Sign out everywhere else?' }).waitFor();
  await list.page.getByRole('button', { name: 'Sign out 1 session' }).click();

  await allSignedOut(phone);
  await list.says('Signed out in 4 of 4 apps');
  await allSignedIn(laptop);
});

test('an app that was closed is said to be told when it opens, and is', async () => {
  await phone.notes.page.close();
  await phone.shop.page.close();

  await list.signOut(ON_PHONE);

  await list.says('Signed out in 2 of 4 apps');
  await list.page.getByRole('listitem').filter({ hasText: 'Notes' }).getByText('when it is opened again').waitFor();
  const notes = await phone.person.open('notes');
  await notes.showsSignedOut('You signed out from another device');
  await list.says('Signed out in 3 of 4 apps');
});

test('without JavaScript the list, the button and what becomes of it are there as well', async () => {
  const plain = await world.person('Ada Lovelace', { userAgent: LAPTOP, javaScriptEnabled: false });
  const page = await SessionsPage.open(plain, world.urls.hub);
  await page.everywhereElse();
  await page.page.getByRole('button', { name: /^Sign out \d+ session/ }).click();

  await allSignedOut(phone);
  await allSignedOut(laptop);
  await page.says('Signed out in 4 of 4 apps');
  await plain.context.close();
});

test('signing out this browser from the list ends it here, at the tenant and in its apps, and the phone stays', async () => {
  await list.signOut(ON_LAPTOP);

  await laptop.notes.showsSignedOut(/./);
  await list.page.getByRole('heading', { name: /You are signed out|Not every app/ }).waitFor();
  const account = await laptop.person.account();
  await account.getByRole('button', { name: 'Ada Lovelace' }).waitFor();
  await allSignedIn(phone);
});

test('the keyboard alone reaches every button, and each says whose it is', async () => {
  const names = [];
  for (let at = 0; at < 4; at += 1) {
    await list.page.keyboard.press('Tab');
    names.push(await list.page.evaluate(() => document.activeElement.innerText.replace(/\s+/g, ' ').trim()));
  }
  expect(names[0]).toBe(`Sign out ${ON_LAPTOP}`);
  expect(names).toContain(`Sign out ${ON_PHONE}`);
});

test('on a narrow phone nothing has to be scrolled sideways', async () => {
  await list.page.setViewportSize({ width: 320, height: 640 });
  const { inner, content } = await list.page.evaluate(() => ({
    inner: innerWidth,
    content: document.documentElement.scrollWidth,
  }));
  expect(content).toBeLessThanOrEqual(inner);
});
