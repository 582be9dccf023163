import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Listener } from '../rig/listener.js';
import { arrives, redirect, sendPage } from '../rig/site.js';
import { until } from '../rig/until.js';
import { KIOSK, startWorld } from '../rig/world.js';

const FRAMED = Array.from({ length: 9 }, (_, at) => `Team${at + 1}`);

let world;
let ledger;
let archive;
let teams;
let ada;
let page;
/** Each page "Signing you out" as it came: its rows by name. */
let turns;
beforeAll(async () => {
  const framed = Object.fromEntries(FRAMED.map((name) => [name, { frame: '/slo' }]));
  world = await startWorld({ sites: { Ledger: {}, Archive: { chain: '/leave' }, ...framed }, hubClient: true });
  ({ Ledger: ledger, Archive: archive } = world.sites);
  teams = FRAMED.map((name) => world.sites[name]);
  for (const team of teams) team.serve('/slo', (_req, res) => sendPage(res, '<h1>Signed out</h1>'));
  archive.serve('/leave', (req, res, url) => {
    archive.endSession(req, res);
    redirect(res, url.searchParams.get('return_to'));
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace', { javaScriptEnabled: false });
  page = await ledger.signIn(ada);
  turns = [];
  page.on('response', async (response) => {
    if (response.url().includes('/logout/signing-out')) turns.push(rowsIn(await response.text()));
  });
});

function rowsIn(html) {
  const rows = html.matchAll(/<span class="name">([^<]*)<\/span><span class="state">([^<]*)</g);
  return Object.fromEntries([...rows].map(([, name, words]) => [name, words]));
}

/** What a row said, turn by turn. */
function told(name) {
  return turns.map((rows) => rows[name]);
}

test('a form, the page, the chain and the issuer lead back to the app with its state', async () => {
  const before = archive.asksFor('/leave').length;

  await page.getByRole('button', { name: 'Sign out' }).click();

  await arrives(page, ledger.goodbye);
  expect(new URL(page.url()).searchParams.get('state')).toBe('left-Ledger');
  expect(archive.asksFor('/leave')).toHaveLength(before + 1);
  const account = await ada.context.newPage();
  await account.goto(`${ledger.origin}/sign-in`);
  await account.getByRole('button', { name: 'Ada Lovelace' }).waitFor();
});

test('every frame is loaded, eight of them on one page', async () => {
  const before = teams.map((team) => team.asksFor('/slo').length);
  const frames = [];
  page.on('response', async (response) => {
    if (!response.url().includes('/logout/signing-out')) return;
    frames.push((await response.text()).match(/<iframe/g)?.length ?? 0);
  });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await arrives(page, ledger.goodbye);

  expect(Math.max(...frames)).toBe(8);
  teams.forEach((team, at) => {
    const asked = team.asksFor('/slo').slice(before[at]);
    expect([team.name, asked.length > 0]).toEqual([team.name, true]);
    for (const { searchParams } of asked) expect([...searchParams.keys()]).toEqual(['iss', 'sid']);
    // Only a script could have confirmed.
    expect(told(team.name).at(-1)).toBe('not confirmed');
  });
});

test('rows move on as the page comes again by itself', async () => {
  const token = await world.tokenFor(KIOSK, await ledger.idToken(ada.context));
  const kiosk = await Listener.subscribe({ hub: world.urls.hub, token });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await until('the page has come', () => told('Kiosk').includes('signing out…'));
  kiosk.acknowledge(kiosk.heard.at(-1).id);
  await arrives(page, ledger.goodbye);

  expect(told('Kiosk')[0]).toBe('signing out…');
  expect(told('Kiosk').at(-1)).toBe('signed out');
  kiosk.close();
});

test('whoever does not answer is not confirmed at the last turn, and the way goes on', async () => {
  const token = await world.tokenFor(KIOSK, await ledger.idToken(ada.context));
  const kiosk = await Listener.subscribe({ hub: world.urls.hub, token });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await arrives(page, ledger.goodbye);

  expect(told('Kiosk').length).toBeGreaterThan(2);
  expect(new Set(told('Kiosk').slice(0, -1))).toEqual(new Set(['signing out…']));
  expect(told('Kiosk').at(-1)).toBe('not confirmed');
  kiosk.close();
});

test('a person who came by a foreign link is asked, and the button does the rest', async () => {
  archive.serve('/foreign', `<a href="${world.urls.hub}/logout" rel="noreferrer">Free phones</a>`);
  await page.goto(`${archive.origin}/foreign`);
  await page.getByRole('link').click();
  await page.getByRole('heading', { name: 'Sign out?' }).waitFor();
  await page.getByRole('radio', { name: new URL(world.tenant.issuer).host }).check();

  await page.getByRole('button', { name: 'Sign out' }).click();

  // The frames could not confirm, so nobody says "signed out" of them.
  await page.getByRole('heading', { name: 'Not every app has confirmed' }).waitFor();
  expect(turns.length).toBeGreaterThan(0);
});
