import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Listener } from '../rig/listener.js';
import { arrives } from '../rig/site.js';
import { until } from '../rig/until.js';
import { KIOSK, startWorld } from '../rig/world.js';

/** With everything in it that is easily lost on the way. */
const STATE = 'a b&c=d%20e+ü/"<i>"#?;,€';

let world;
let ledger;
let ada;
let page;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {} } });
  ledger = world.sites.Ledger;
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace');
  page = await ledger.signIn(ada);
});

/** An app that listens, and says nothing of its own accord. */
async function openKiosk() {
  const token = await world.tokenFor(KIOSK, await ledger.idToken(ada.context));
  return Listener.subscribe({ hub: world.urls.hub, token });
}

/** Leaves for the hub, and is there once its page can be seen. */
async function signOut(options) {
  await page.goto(await ledger.logoutUrl(ada.context, options), { waitUntil: 'commit' });
}

/** A sign-out that names no address to return to. */
async function signOutWithoutReturn(heading = 'You are signed out') {
  const url = new URL(await ledger.logoutUrl(ada.context));
  url.searchParams.delete('post_logout_redirect_uri');
  await page.goto(url.href, { waitUntil: 'commit' });
  await page.getByRole('heading', { name: heading }).waitFor();
}

test('open tabs are shown becoming signed out, and the browser ends at the app with its state unchanged', async () => {
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');

  await signOut({ state: STATE });

  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe(STATE);
  expect([...new URL(page.url()).searchParams.keys()]).toEqual(['state']);
  for (const name of ['Notes', 'Shop']) expect(ada.rows.of(name).at(-1)).toBe('signed out');
  await notes.showsSignedOut(/./);
  await shop.showsSignedOut(/./);
  expect((await ledger.asksFor('/goodbye')).at(-1).searchParams.get('state')).toBe(STATE);
});

test('an app that is closed will sign out when it is opened again, and is not waited for', async () => {
  const notes = await ada.signInTo('notes');
  await notes.page.close();

  await signOut();

  await arrives(page, ledger.goodbye);
  expect(ada.rows.of('Notes')).toEqual(['will sign out when it is opened again']);
  const opened = await ada.open('notes');
  await opened.showsSignedOut(/./);
});

test('an app that was told and does not answer is not confirmed after three seconds, and never signed out', async () => {
  const kiosk = await openKiosk();
  const begun = Date.now();

  await signOut();

  await ada.rows.say('Kiosk', 'not confirmed');
  expect(Date.now() - begun).toBeGreaterThan(2900);
  await arrives(page, ledger.goodbye);
  expect(ada.rows.of('Kiosk')).toEqual(['signing out…', 'not confirmed']);
  expect(kiosk.heard.at(-1).type).toBe('slo-event');
  kiosk.close();
});

test('an app that answers late, but in time, becomes signed out before the eyes of the person', async () => {
  const kiosk = await openKiosk();

  await signOut();
  await ada.rows.say('Kiosk', 'signing out…');
  kiosk.acknowledge(kiosk.heard.at(-1).id);

  await arrives(page, ledger.goodbye);
  expect(ada.rows.of('Kiosk')).toEqual(['signing out…', 'signed out']);
  kiosk.close();
});

test('how far it is stands in a live region for who cannot see it', async () => {
  const kiosk = await openKiosk();

  await signOut();
  await ada.rows.say('Kiosk', 'signing out…');
  const region = page.getByRole('status');
  await region.filter({ hasText: /^\d of \d apps signed out$/ }).waitFor();
  const [before] = ada.rows.summaries.slice(-1);
  kiosk.acknowledge(kiosk.heard.at(-1).id);
  await arrives(page, ledger.goodbye);

  const counts = [before, ada.rows.summaries.at(-1)].map((text) => text.split(' ').map(Number)[0]);
  expect(counts[1]).toBe(counts[0] + 1);
  kiosk.close();
});

test('the keyboard begins at the heading, and goes on without waiting', async () => {
  const kiosk = await openKiosk();

  await signOut();
  await ada.rows.say('Kiosk', 'signing out…');
  const heading = page.getByRole('heading', { name: 'Signing you out' });
  await until('the heading has the focus', () => heading.evaluate((one) => one === document.activeElement));
  await page.keyboard.press('Tab');
  const link = page.getByRole('link', { name: 'Continue without waiting' });
  expect(await link.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.keyboard.press('Enter');

  await arrives(page, ledger.goodbye);
  expect(ada.rows.of('Kiosk')).toEqual(['signing out…']);
  kiosk.close();
});

test('on a narrow phone nothing has to be scrolled sideways', async () => {
  const kiosk = await openKiosk();
  const [notes] = [await ada.signInTo('notes')];
  await notes.page.close();
  await page.setViewportSize({ width: 360, height: 640 });

  await signOut();
  await ada.rows.say('Kiosk', 'signing out…');

  const { inner, content } = await page.evaluate(() => ({
    inner: innerWidth,
    content: document.documentElement.scrollWidth,
  }));
  expect(content).toBeLessThanOrEqual(inner);
  kiosk.close();
});

test('without an address to return to it ends as a receipt, which can be opened again by its link and no other', async () => {
  const notes = await ada.signInTo('notes');

  await signOutWithoutReturn();
  await notes.showsSignedOut(/./);

  const link = new URL(page.url());
  expect(link.origin + link.pathname).toMatch(new RegExp(`^${world.urls.hub}/logout/receipt/[^/]+$`));
  await page.getByRole('listitem').filter({ hasText: 'Notes' }).getByText('signed out').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();

  const refused = async (change) => {
    const other = new URL(link);
    change(other);
    const answer = await page.request.get(other.href, { maxRedirects: 0 });
    return [answer.status(), answer.headers().location];
  };
  const otherId = link.pathname.replace(/.{4}$/, 'AAAA');
  expect(await refused((url) => url.searchParams.set('key', 'A'.repeat(43)))).toEqual([400, undefined]);
  expect(await refused((url) => url.searchParams.delete('key'))).toEqual([400, undefined]);
  expect(await refused((url) => Object.assign(url, { pathname: otherId }))).toEqual([400, undefined]);
});

test('a receipt with an app that has not confirmed promises no more than it knows', async () => {
  const kiosk = await openKiosk();

  await signOutWithoutReturn('Not every app has confirmed');

  await page.getByRole('listitem').filter({ hasText: 'Kiosk' }).getByText('not confirmed').waitFor();
  await page.getByText('may still show you as signed in').waitFor();
  const again = await page.getByRole('link', { name: 'Check again' }).getAttribute('href');
  kiosk.acknowledge(kiosk.heard.find(({ type }) => type === 'slo-event').id);
  await until('the receipt says that it has', async () => {
    await page.goto(new URL(again, page.url()).href);
    return page.getByRole('heading', { name: 'You are signed out' }).isVisible();
  });
  kiosk.close();
});

test('the receipt of one logout is not opened by the key of another', async () => {
  await signOutWithoutReturn();
  const first = new URL(page.url());
  page = await ledger.signIn(ada);
  await signOutWithoutReturn();
  const second = new URL(page.url());

  second.searchParams.set('key', first.searchParams.get('key'));

  expect((await page.request.get(second.href)).status()).toBe(400);
  expect((await page.request.get(first.href)).status()).toBe(200);
});

test('Back after the end breaks nothing', async () => {
  await ada.signInTo('notes');
  await signOut();
  await arrives(page, ledger.goodbye);
  // Devtools hold on to the page before for as long as this one comes.
  await page.waitForLoadState();

  await page.goBack({ waitUntil: 'commit' });

  // The page has left nothing behind in the history: this is where the sign-out was pressed.
  await arrives(page, `${ledger.origin}/`);
});
