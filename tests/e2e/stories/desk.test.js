import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

const STATE = 'from Shop & back';

let world;
let ada;
let notes;
let shop;
let desk;
beforeAll(async () => {
  world = await startWorld({ desk: true, hubClient: true });
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace');
  notes = await ada.signInTo('notes');
  shop = await ada.signInTo('shop');
  desk = await signInToDesk(ada);
});

/** Desk's own sign-in; the person has a session at the tenant by now. */
async function signInToDesk({ context }) {
  const page = await context.newPage();
  await page.goto(world.urls.desk);
  await page.getByRole('link', { name: /^Sign in/ }).first().click();
  await deskIsSignedIn(page);
  return page;
}

async function deskIsSignedIn(page) {
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

async function deskIsAnonymous(page) {
  await page.reload();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
}

/** Shop's own link to the common logout route, with an address to return to. */
function logoutLink(hint) {
  const query = { client_id: 'spa-shop', post_logout_redirect_uri: `${world.urls.shop}/signed-out`, state: STATE };
  return `${world.urls.hub}/logout?${new URLSearchParams({ ...query, id_token_hint: hint })}`;
}

async function logoutOf(page) {
  const { sid } = await page.idToken();
  return () => world.feed.logout('the logout', (event) => event.sid === sid);
}

/** Each app's ways on the receipt, and how far they are. */
async function waysOf(id) {
  const { deliveries } = await world.receipt(id);
  // The test itself follows the log, as a back end would.
  const apps = deliveries.filter(({ name }) => name !== 'Back end');
  return apps.map(({ name, via, status }) => `${name} ${via} ${status}`).sort();
}

const ALL_DONE = ['Desk backchannel acknowledged', 'Notes websocket acknowledged', 'Shop websocket acknowledged'];

test('Shop’s link ends Notes and Desk too, and the browser ends at Shop’s own page with state unchanged', async () => {
  const logout = await logoutOf(shop);
  const hint = await shop.rawIdToken();

  await shop.page.evaluate((link) => location.assign(link), logoutLink(hint));

  await until('the browser is back at Shop', () => shop.page.url().startsWith(`${world.urls.shop}/signed-out`));
  expect(new URL(shop.page.url()).searchParams.get('state')).toBe(STATE);
  for (const name of ['Notes', 'Desk']) expect(ada.rows.of(name).at(-1)).toBe('signed out');
  expect(ada.rows.of('Shop').at(-1)).toMatch(/^(you came from here|signed out)$/);
  await notes.showsSignedOut(/./);
  await deskIsAnonymous(desk);
  const { id } = await logout();
  await until('all three have confirmed', async () => isDeepStrictEqual(await waysOf(id), ALL_DONE));
  expect(await world.receipt(id)).toMatchObject({ final: true, source: 'redirect' });
});

test('after the button in Shop three rows become done, and Shop shows the receipt', async () => {
  await shop.signOut();

  await shop.showsSignedOut(/You signed out in Shop/);
  for (const name of ['Notes', 'Shop', 'Desk']) expect(ada.rows.of(name).at(-1)).toBe('signed out');
  await deskIsAnonymous(desk);
  const receipt = shop.page.getByRole('table');
  for (const name of ['Notes', 'Shop', 'Desk']) {
    await receipt.getByRole('row', { name: new RegExp(name) }).filter({ hasText: /signed out|confirmed/i }).waitFor();
  }
});

test('without scripts, and with Desk’s server down, Desk is not confirmed, and is told when it is back', async () => {
  const logout = await logoutOf(shop);
  const hint = await shop.rawIdToken();
  const devtools = await ada.context.newCDPSession(shop.page);
  await devtools.send('Emulation.setScriptExecutionDisabled', { value: true });
  await world.desk.kill();

  await shop.page.goto(logoutLink(hint), { waitUntil: 'commit' });
  const row = shop.page.locator('[data-app="web-desk"]');
  await row.filter({ hasText: 'not confirmed' }).waitFor();
  await until('the browser is back at Shop', () => shop.page.url().startsWith(`${world.urls.shop}/signed-out`));
  expect(new URL(shop.page.url()).searchParams.get('state')).toBe(STATE);
  await notes.showsSignedOut(/./);
  const { id } = await logout();
  expect(await waysOf(id)).toContain('Desk backchannel pending');

  await world.desk.start();
  await until('Desk has confirmed', async () => (await waysOf(id)).includes('Desk backchannel acknowledged'));
  await deskIsAnonymous(desk);
});

test('a sign-out in Desk, which has no scripts, ends Notes and Shop', async () => {
  const devtools = await ada.context.newCDPSession(desk);
  await devtools.send('Emulation.setScriptExecutionDisabled', { value: true });

  await desk.getByRole('button', { name: 'Sign out' }).click();

  await desk.getByText('You signed out in Desk.').waitFor();
  await notes.showsSignedOut(/./);
  await shop.showsSignedOut(/./);
});

test('a sign-out on one device leaves the other device’s Desk signed in', async () => {
  const phone = await world.person('Ada Lovelace');
  await phone.signInTo('notes');
  const elsewhere = await signInToDesk(phone);

  await shop.signOut();
  await shop.showsSignedOut(/You signed out in Shop/);

  await deskIsAnonymous(desk);
  await elsewhere.reload();
  await deskIsSignedIn(elsewhere);
});
