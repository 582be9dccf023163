import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { arrives } from '../rig/site.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
let ledger;
/** A site that nobody has registered anywhere. */
let foreign;
let ada;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {} }, strangers: ['Freephones'], hubClient: true });
  ledger = world.sites.Ledger;
  foreign = world.strangers.Freephones;
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace');
});

/** Follows the link that stands on Ledger's home page, with what the story adds to it. */
async function follow(page, more = {}) {
  const link = page.getByRole('link', { name: 'Leave' });
  await link.evaluate((one, query) => {
    const url = new URL(one.href);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    one.href = url.href;
  }, more);
  await link.click();
}

/** Puts a page on a site and opens it. */
async function openAt(site, html) {
  site.serve('/page', html);
  const page = await ada.context.newPage();
  await page.goto(`${site.origin}/page`);
  return page;
}

function logoutLink(query = { client_id: ledger.clientId }) {
  return `${world.urls.hub}/logout?${new URLSearchParams(query)}`;
}

async function mark(tab) {
  const { sid } = await tab.idToken();
  return () => world.feed.logouts.some((event) => event.sid === sid);
}

/** The hub, its feed and the tab have had every chance to hear of a logout: a later one was heard. */
async function afterAnotherLogout() {
  const grace = await world.person('Grace Hopper');
  const notes = await grace.signInTo('notes');
  const wasHeard = await mark(notes);
  await notes.signOut();
  await until('a later logout was heard', wasHeard);
  await grace.context.close();
}

test('a plain link signs out whoever is signed in at the tenant, in every open app', async () => {
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const page = await ledger.signIn(ada);

  await follow(page, { post_logout_redirect_uri: ledger.goodbye, state: 'a b&c' });

  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe('a b&c');
  for (const name of ['Notes', 'Shop']) expect(ada.rows.of(name).at(-1)).toBe('signed out');
  await notes.showsSignedOut(/./);
  await shop.showsSignedOut(/./);
});

test('the shortest link there is ends as the receipt', async () => {
  await ada.signInTo('notes');
  const page = await ledger.signIn(ada);

  await follow(page);

  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Notes' }).getByText('signed out').waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/logout\/receipt\//);
});

test('where nobody is signed in at the tenant the link goes straight on, and that is success', async () => {
  const page = await openAt(ledger, `<a href="${logoutLink().replaceAll('&', '&amp;')}">Leave</a>`);
  await follow(page, { post_logout_redirect_uri: ledger.goodbye, state: 'nobody' });
  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe('nobody');
  expect(ada.rows.shown).toEqual([]);
});

test('a link that stands on a foreign page asks the person first; the button then does it', async () => {
  const notes = await ada.signInTo('notes');
  const wasSignedOut = await mark(notes);
  const query = { client_id: ledger.clientId, post_logout_redirect_uri: ledger.goodbye, state: 'x' };
  const page = await openAt(foreign, `<a href="${logoutLink(query).replaceAll('&', '&amp;')}">Free phones</a>`);
  await page.getByRole('link').click();
  await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Notes' }).waitFor();
  expect(wasSignedOut()).toBe(false);

  await page.getByRole('button', { name: 'Sign out' }).click();

  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe('x');
  await notes.showsSignedOut(/./);
});

test('a confirmation from one browser, or for another request, signs nobody out in this one', async () => {
  const grace = await world.person('Grace Hopper');
  const graces = await grace.context.newPage();
  await graces.goto(logoutLink({ client_id: 'spa-notes' }));
  const stolen = await graces.locator('input[name=confirm]').getAttribute('value');
  const notes = await ada.signInTo('notes');
  const wasSignedOut = await mark(notes);
  const own = await ada.context.newPage();
  await own.goto(logoutLink({ client_id: 'spa-shop' }));
  const forAnother = await own.locator('input[name=confirm]').getAttribute('value');

  for (const confirm of [stolen, forAnother, '', 'x']) {
    const page = await openAt(foreign, autoSubmitting({ client_id: 'spa-notes', confirm }));
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  }

  await afterAnotherLogout();
  expect([wasSignedOut(), await notes.isSignedIn()]).toEqual([false, true]);
});

test('nothing that a page can do behind a person’s back signs them out', async () => {
  const notes = await ada.signInTo('notes');
  const wasSignedOut = await mark(notes);
  const asked = new Set();
  world.line.watch(({ method, url }) => asked.add(`${method} ${new URL(url, world.urls.hub).searchParams.get('by')}`));
  const url = logoutLink();
  // On the app's own page, where a link that is clicked would sign out at once.
  const tricks = `
    <link rel="prefetch" href="${url}&by=prefetch">
    <img src="${url}&by=img" alt=""><iframe src="${url}&by=iframe"></iframe><object data="${url}&by=object"></object>
    <script src="${url}&by=script"></script><link rel="stylesheet" href="${url}&by=style">
    <form target="inner" method="post" action="${url}&by=form"></form><iframe name="inner"></iframe>
    <script>
      const how = { credentials: 'include' };
      globalThis.tried = Promise.allSettled([
        fetch('${url}&by=fetch', { ...how, mode: 'no-cors' }), fetch('${url}&by=post', { ...how, mode: 'no-cors', method: 'POST' }),
        fetch('${url}&by=head', { ...how, mode: 'no-cors', method: 'HEAD' }), fetch('${url}&by=cors', how),
      ]);
      navigator.sendBeacon('${url}&by=beacon');
      document.forms[0].submit();
    </script>`;
  const page = await openAt(ledger, tricks);
  await page.evaluate(() => globalThis.tried);
  await page.waitForLoadState('networkidle');

  await afterAnotherLogout();
  const elements = ['prefetch', 'img', 'iframe', 'object', 'script', 'style', 'fetch', 'cors'].map((by) => `GET ${by}`);
  expect([...asked]).toEqual(expect.arrayContaining([...elements, 'HEAD head', 'POST post', 'POST beacon', 'POST form']));
  expect([wasSignedOut(), await notes.isSignedIn()]).toEqual([false, true]);
});

test.each(['prefetch', 'prefetch;prerender', 'prefetch;anonymous-client-ip'])('what a speculation rule asks for ahead (%s) signs nobody out', async (purpose) => {
  const notes = await ada.signInTo('notes');
  const wasSignedOut = await mark(notes);

  // Chromium speculates on no site that it has cookies for, so this says what it would.
  const answer = await ada.context.request.get(logoutLink(), {
    headers: { 'sec-purpose': purpose, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', referer: `${ledger.origin}/` },
    maxRedirects: 0,
  });

  expect([answer.status(), answer.headers().location]).toEqual([403, undefined]);
  expect([wasSignedOut(), await notes.isSignedIn()]).toEqual([false, true]);
});

test('a hostile page’s form that submits itself signs nobody out', async () => {
  const notes = await ada.signInTo('notes');
  const wasSignedOut = await mark(notes);

  const page = await openAt(foreign, autoSubmitting({ client_id: ledger.clientId }));
  await page.getByRole('heading', { name: 'Sign out?' }).waitFor();

  await afterAnotherLogout();
  expect([wasSignedOut(), await notes.isSignedIn()]).toEqual([false, true]);
});

test('the answer of the issuer is good in the browser that asked, once, and unaltered', async () => {
  const first = await ledger.signIn(ada);
  let answer;
  world.line.watch(({ url }) => url.startsWith('/logout/signed-in?') && (answer ??= world.urls.hub + url));
  world.line.breakAt('/logout/signed-in');
  await follow(first);
  await until('the issuer has answered', () => answer !== undefined);
  // Chromium would try a page that did not come again by itself, and use the answer up.
  await first.close();
  world.line.breakAt(undefined);
  const page = await ada.context.newPage();
  const stranger = await (await world.person('Grace Hopper')).context.newPage();
  const altered = new URL(answer);
  const state = altered.searchParams.get('state');
  altered.searchParams.set('state', (state[0] === 'A' ? 'B' : 'A') + state.slice(1));

  for (const [tab, url] of [[stranger, answer], [page, altered.href]]) {
    const refused = await tab.goto(url);
    expect([refused.status(), refused.headers().location]).toEqual([400, undefined]);
  }
  await page.goto(answer);
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  expect((await page.goto(answer)).status()).toBe(400);
});

function autoSubmitting(fields) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  const form = `<form method="post" action="${world.urls.hub}/logout">${inputs.join('')}</form>`;
  return `${form}<script>document.forms[0].submit()</script>`;
}
