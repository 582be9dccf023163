import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Listener } from '../rig/listener.js';
import { arrives, redirect, sendPage } from '../rig/site.js';
import { startWorld } from '../rig/world.js';

const NEVER_CAME_BACK = 'the browser did not come back from the app';

let world;
let ledger;
let archive;
let wiki;
let ada;
let page;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {}, Archive: { chain: '/leave?theme=dark' }, Wiki: { chain: '/leave' } } });
  ({ Ledger: ledger, Archive: archive, Wiki: wiki } = world.sites);
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const site of [archive, wiki]) site.serve('/leave', passesOn(site));
  ada = await world.person('Ada Lovelace');
  page = await ledger.signIn(ada);
});

/** Ends the app's own session and goes back to where the browser was told to. */
function passesOn(site) {
  return (req, res, url) => {
    site.endSession(req, res);
    redirect(res, url.searchParams.get('return_to'));
  };
}

/** Keeps the browser, as an app does that knows nothing of `return_to`. */
function keeps(req, res) {
  sendPage(res, '<h1>You left the archive</h1>');
}

async function signOut(options) {
  await page.goto(await ledger.logoutUrl(ada.context, options), { waitUntil: 'commit' });
}

/** The address of the hub that an app was last told to send the browser back to. */
function returnTo(site) {
  return site.asksFor('/leave').at(-1).searchParams.get('return_to');
}

async function claims() {
  const idToken = await ledger.idToken(ada.context);
  return JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url').toString());
}

/** Every document that the browser asks for in this tab, as `host/path`. */
function documents(tab) {
  const seen = [];
  tab.on('request', (request) => {
    const { host, pathname } = new URL(request.url());
    if (request.isNavigationRequest() && request.frame() === tab.mainFrame()) seen.push(host + pathname);
  });
  return seen;
}

/** Opens an address, and expects an error page that sends nobody anywhere. */
async function expectRefused(tab, url, code) {
  const answer = await tab.goto(url);
  expect([answer.status(), answer.headers().location]).toEqual([400, undefined]);
  expect(answer.request().redirectedFrom()).toBe(null);
  await tab.getByText(code).waitFor();
}

test('the apps of the chain are visited one by one, then the issuer, then the app with its state', async () => {
  await archive.signIn(ada);
  await wiki.signIn(ada);
  const who = await claims();
  const seen = documents(page);

  await signOut({ state: 'kept' });
  await arrives(page, ledger.goodbye);

  const hub = new URL(world.urls.hub).host;
  expect(seen).toEqual([
    `${hub}/logout`,
    `${hub}/logout/signing-out`,
    `${hub}/logout/onward`,
    `${new URL(archive.origin).host}/leave`,
    `${hub}/logout/chain`,
    `${new URL(wiki.origin).host}/leave`,
    `${hub}/logout/chain`,
    `${new URL(world.tenant.issuer).host}/oidc/logout`,
    `${hub}/logout/callback`,
    `${new URL(ledger.origin).host}/goodbye`,
  ]);
  expect(new URL(page.url()).searchParams.get('state')).toBe('kept');
  expect(archive.asksFor('/leave').at(-1).searchParams.get('theme')).toBe('dark');
  for (const site of [archive, wiki]) {
    expect(await site.idToken(ada.context)).toBe(undefined);
    const rows = await world.deliveriesTo(site.clientId, who);
    expect(rows.find(({ via }) => via === 'chain')).toMatchObject({ status: 'acknowledged' });
  }
});

test('an app that keeps the browser does not keep the others: Back leads to the next one', async () => {
  archive.serve('/leave', keeps);
  const who = await claims();
  await signOut({ state: 'kept' });
  await page.getByRole('heading', { name: 'You left the archive' }).waitFor();
  const before = wiki.asksFor('/leave').length;

  await page.goBack({ waitUntil: 'commit' });

  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe('kept');
  expect(wiki.asksFor('/leave')).toHaveLength(before + 1);
  expect(await world.deliveriesTo(archive.clientId, who)).toMatchObject([
    { via: 'chain', status: 'failed', error: NEVER_CAME_BACK },
  ]);
  expect(await world.deliveriesTo(wiki.clientId, who)).toMatchObject([{ via: 'chain', status: 'acknowledged' }]);
});

test('the page’s own link leads on as well, and after the end it says so and leads nowhere', async () => {
  archive.serve('/leave', keeps);
  const asked = page.waitForRequest((request) => request.url().includes('/logout/signing-out'));
  await signOut();
  const link = (await asked).url();
  await page.getByRole('heading', { name: 'You left the archive' }).waitFor();
  const visits = archive.asksFor('/leave').length;

  const again = await ada.context.newPage();
  await again.goto(link, { waitUntil: 'commit' });
  await arrives(again, ledger.goodbye);

  expect(archive.asksFor('/leave')).toHaveLength(visits);
  await expectRefused(again, link, 'used_link');
  await expectRefused(again, link.replace('signing-out', 'onward'), 'used_link');
});

test('an app that comes back late, when the others are done, is told that it is over', async () => {
  archive.serve('/leave', keeps);
  await signOut();
  await page.getByRole('heading', { name: 'You left the archive' }).waitFor();
  const late = returnTo(archive);
  await page.goBack({ waitUntil: 'commit' });
  await arrives(page, ledger.goodbye);

  await expectRefused(page, late, 'used_link');
});

test('the way back is good for one time', async () => {
  await signOut();
  await arrives(page, ledger.goodbye);
  await expectRefused(page, returnTo(archive), 'used_link');
});

test('the way back is no good once it was altered', async () => {
  archive.serve('/leave', keeps);
  await signOut();
  await page.getByRole('heading', { name: 'You left the archive' }).waitFor();
  const good = new URL(returnTo(archive));
  const [name, until, tag] = good.searchParams.get('state').split('.');
  const swapped = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  const altered = [
    `${swapped(name)}.${until}.${tag}`,
    `${name}.${Number(until) + 1}.${tag}`,
    `${name}.${until}.${swapped(tag)}`,
    `${name}.${until}.`,
    `${name}.${until}`,
    name,
    '',
    '..',
    world.sites.Wiki.origin,
  ];

  const tab = await ada.context.newPage();
  for (const state of altered) {
    await expectRefused(tab, `${good.origin}${good.pathname}?${new URLSearchParams({ state })}`, 'foreign_link');
  }
  await expectRefused(tab, good.origin + good.pathname, 'foreign_link');
  await expectRefused(tab, `${good.href}&state=${name}`, 'duplicate_parameter');
  // It was not used up by all that.
  await page.goto(good.href, { waitUntil: 'commit' });
  await arrives(page, ledger.goodbye);
});

test('the way back is no good in another browser, and still good in its own', async () => {
  archive.serve('/leave', keeps);
  const who = await claims();
  await signOut();
  await page.getByRole('heading', { name: 'You left the archive' }).waitFor();
  const stranger = await (await world.person('Grace Hopper')).context.newPage();

  await expectRefused(stranger, returnTo(archive), 'foreign_link');

  expect(await world.deliveriesTo(archive.clientId, who)).toMatchObject([{ via: 'chain', status: 'pending' }]);
  await page.goto(returnTo(archive), { waitUntil: 'commit' });
  await arrives(page, ledger.goodbye);
  expect(await world.deliveriesTo(archive.clientId, who)).toMatchObject([{ via: 'chain', status: 'acknowledged' }]);
});

test('an app that has confirmed by its socket is not visited', async () => {
  await archive.signIn(ada);
  const idToken = await archive.idToken(ada.context);
  const socket = await Listener.subscribe({ hub: world.urls.hub, token: idToken, origin: archive.origin });
  const visits = archive.asksFor('/leave').length;

  await signOut();
  await ada.rows.say('Archive', 'signing out…');
  socket.acknowledge(socket.heard.at(-1).id);
  await arrives(page, ledger.goodbye);

  expect(ada.rows.of('Archive').at(-1)).toBe('signed out');
  expect(archive.asksFor('/leave')).toHaveLength(visits);
  socket.close();
});
