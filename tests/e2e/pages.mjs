/**
 * Takes pictures of the hub's pages in each of their states, on a phone and on a desktop, light
 * and dark: `node tests/e2e/pages.mjs FOLDER`.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Listener } from './rig/listener.js';
import { shoot } from './rig/shoot.js';
import { startWorld } from './rig/world.js';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Say where the pictures go: node tests/e2e/pages.mjs FOLDER');
const LISTENING = ['spa-notes', 'spa-shop', 'site-desk'];
const CLOSED = 'site-payroll';

await mkdir(folder, { recursive: true });
const world = await startWorld({ sites: { Ledger: {}, Desk: {}, Payroll: {} } });
const { Ledger: ledger } = world.sites;
try {
  await signingOut('signing-out', LISTENING, { answer: [], then: stay });
  await signingOut('some-done', LISTENING, { answer: LISTENING.slice(0, 1), then: stay });
  await signingOut('all-done', LISTENING, { answer: LISTENING, then: stay });
  await signingOut('not-confirmed', LISTENING, { answer: LISTENING.slice(0, 2), then: waitInVain });
  await signingOut('later', [...LISTENING, CLOSED], { answer: LISTENING, then: stay });
  await receipt('receipt', LISTENING);
  await receipt('receipt-open', []);
  await plain('confirm', `/logout?client_id=${ledger.clientId}`);
  await plain('confirm-everywhere', `/logout?client_id=${ledger.clientId}&scope=user`);
  await plain('confirm-choice', '/logout');
  await plain('error', `/logout?client_id=${ledger.clientId}&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F`);
  await plain('error-used', '/logout/receipt/none?key=none');
  console.log(path.resolve(folder));
} finally {
  await world.close();
}

/** The page while it waits, with time standing still on it. */
async function signingOut(name, apps, { answer, then }) {
  const { page, person, listeners } = await ready(apps);
  await person.context.clock.install();
  await person.context.clock.pauseAt(Date.now() + 1000);
  await page.goto(await ledger.logoutUrl(person.context), { waitUntil: 'commit' });
  await page.getByRole('heading', { name: 'Signing you out' }).waitFor();
  for (const clientId of answer) await acknowledge(page, listeners, clientId);
  await then(page, person);
  await shoot(page, path.join(folder, name));
  await leave(person, listeners);
}

async function stay() {}

async function waitInVain(page, person) {
  await person.context.clock.runFor(3000);
  await page.locator('[data-state=unconfirmed]').first().waitFor();
}

async function receipt(name, answer) {
  const { page, person, listeners } = await ready([...LISTENING, CLOSED]);
  const url = new URL(await ledger.logoutUrl(person.context));
  url.searchParams.delete('post_logout_redirect_uri');
  await page.goto(url.href, { waitUntil: 'commit' });
  await page.getByRole('heading', { name: 'Signing you out' }).waitFor();
  for (const clientId of answer) await acknowledge(page, listeners, clientId);
  await page.waitForURL('**/logout/receipt/**');
  await shoot(page, path.join(folder, name));
  await leave(person, listeners);
}

async function plain(name, address) {
  const person = await world.person('Ada Lovelace');
  const page = await person.context.newPage();
  await page.goto(world.urls.hub + address);
  await shoot(page, path.join(folder, name));
  await person.context.close();
}

/** Somebody who is signed in to Ledger; these apps of theirs are open, but for the one that is closed. */
async function ready(apps) {
  const person = await world.person('Ada Lovelace');
  const page = await ledger.signIn(person);
  const listeners = new Map();
  for (const clientId of apps) {
    const token = await world.tokenFor(clientId, await ledger.idToken(person.context));
    const listener = await Listener.subscribe({ hub: world.urls.hub, token, origin: originOf(clientId) });
    if (clientId === CLOSED) listener.close();
    listeners.set(clientId, listener);
  }
  return { person, page, listeners };
}

function originOf(clientId) {
  const site = Object.values(world.sites).find((one) => one.clientId === clientId);
  return site?.origin ?? world.urls[clientId.replace('spa-', '')];
}

async function acknowledge(page, listeners, clientId) {
  const { id } = listeners.get(clientId).heard.at(-1);
  listeners.get(clientId).acknowledge(id);
  await page.locator(`[data-app=${clientId}][data-state=signed-out]`).waitFor();
}

async function leave(person, listeners) {
  for (const listener of listeners.values()) listener.close();
  await person.context.close();
}
