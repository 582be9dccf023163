/**
 * Takes pictures of the operator's console, on a phone and on a desktop, light and dark:
 * `node tests/e2e/console.mjs FOLDER`.
 */
import http from 'node:http';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DEMO_USERS } from '../../demo-apps/tenant/lib/demo.js';
import { openConsoleToLogin } from './rig/console-login.js';
import { ConsolePage } from './rig/console-page.js';
import { Listener } from './rig/listener.js';
import { shoot } from './rig/shoot.js';
import { until } from './rig/until.js';
import { startWorld } from './rig/world.js';

/** The narrowest screen on which no page may scroll sideways. */
const NARROW = 360;

const folder = process.argv[2];
if (folder === undefined) throw new Error('Say where the pictures go: node tests/e2e/console.mjs FOLDER');
await mkdir(folder, { recursive: true });

const busy = http.createServer((request, response) => response.writeHead(request.url === '/refuses' ? 400 : 503).end());
await new Promise((resolve) => busy.listen(0, '127.0.0.1', resolve));
const at = (place) => `http://localhost:${busy.address().port}${place}`;
const world = await startWorld({
  sites: { Ledger: {}, Desk: {}, Payroll: {} },
  hubClient: true,
  management: true,
  backEnds: [
    { clientId: 'api-mail', name: 'Mail', backchannel: at('/busy'), backchannelToken: 'hub' },
    { clientId: 'api-billing', name: 'Billing', backchannel: at('/refuses'), backchannelToken: 'hub' },
  ],
});
const { Ledger: ledger } = world.sites;
const operator = await ConsolePage.open(world);
const { page } = operator;
const listeners = [];
try {
  await page.goto(operator.address);
  await take('sign-in');
  await operator.signIn('not-the-token');
  await take('sign-in-wrong');
  await operator.signIn();
  await take('overview-new');
  const ada = await person('Ada Lovelace', ['spa-notes', 'spa-shop', 'site-desk'], ['spa-notes', 'spa-shop']);
  const grace = await person('Grace Hopper', ['spa-notes', 'site-payroll'], ['spa-notes', 'site-payroll']);
  const stays = await person('Ada Lovelace', ['spa-notes', 'spa-shop'], []);
  const first = await ends(ada, 'Signed out in Notes');
  await ends(grace);
  await acknowledged(first);
  await until('Billing has refused twice', twiceInVain);

  await operator.goTo('Overview');
  await take('overview');
  await operator.goTo('Logouts');
  await take('logouts');
  await page.getByRole('searchbox').fill(ada.sid);
  await page.getByRole('button', { name: 'Search' }).click();
  await take('search');
  await page.goto(`${operator.address}/logouts/${first}`);
  await take('logout');
  for (const place of ['Apps', 'Deliveries', 'Issuers and keys', 'Checks', 'End sessions']) {
    await operator.goTo(place);
    await take(place.toLowerCase().replaceAll(' ', '-'));
  }
  await operator.countsWhatWouldEnd({ sub: stays.sub, issuer: world.tenant.issuer, reason: 'Your laptop was reported stolen' });
  await take('end-confirm');
  await operator.confirms('9');
  await take('end-wrong');
  await operator.goTo('End sessions');
  await page.getByLabel('Issuer', { exact: true }).selectOption(world.tenant.issuer);
  await page.getByLabel('Everyone', { exact: false }).last().check();
  await page.getByRole('button', { name: 'Count what would end' }).click();
  await operator.confirms((await page.getByLabel(/^Type the number/).evaluate((it) => it.labels[0].textContent)).match(/\d+/)[0]);
  await page.getByRole('heading', { name: 'Sessions ended' }).waitFor();
  await take('sweep');
  await operator.goTo('Checks');
  await page.getByRole('button', { name: 'Run the checks' }).click();
  await page.locator('.findings').first().waitFor();
  await take('checks-run');
  await page.goto(`${operator.address}/logouts/none`);
  await take('not-found');
  await byName();
  console.log(path.resolve(folder));
} finally {
  for (const listener of listeners) listener.close();
  await operator.close();
  await world.close();
  busy.close();
}

/** The console's door, where operators sign in at the tenant. */
async function byName() {
  const [ada, grace] = DEMO_USERS;
  await page.goto(await openConsoleToLogin(world, [ada.id]));
  await take('sign-in-by-name');
  await page.getByRole('link', { name: /^Sign in with/ }).click();
  await page.getByRole('button', { name: grace.name }).click();
  await page.getByRole('heading', { name: 'This sign-in does not open the console' }).waitFor();
  await take('no-operator');
  await page.getByRole('link', { name: 'Sign in as someone else' }).click();
  await page.getByRole('button', { name: ada.name }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await take('signed-out');
}

async function take(name) {
  await page.setViewportSize({ width: NARROW, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > NARROW) throw new Error(`${name} is ${wide} px wide on a screen of ${NARROW} px`);
  await shoot(page, path.join(folder, name));
}

/** Somebody who is signed in to Ledger; these apps of theirs are open, and those confirm. */
async function person(name, apps, confirming) {
  const somebody = await world.person(name);
  await ledger.signIn(somebody);
  const token = await ledger.idToken(somebody.context);
  for (const clientId of apps) {
    const own = await world.tokenFor(clientId, token);
    const listener = await Listener.subscribe({ hub: world.urls.hub, token: own, origin: originOf(clientId) });
    listeners.push(Object.assign(listener, { confirms: confirming.includes(clientId) }));
  }
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

function originOf(clientId) {
  const site = Object.values(world.sites).find((one) => one.clientId === clientId);
  return site?.origin ?? world.urls[clientId.replace('spa-', '')];
}

async function ends({ iss, sub, sid }, reason) {
  const id = await world.backEndReports({ issuer: iss, sub, sid, ...(reason && { reason }) });
  await until('the apps have heard', () => listeners.some((listener) => listener.heard.at(-1)?.id === id));
  for (const listener of listeners.filter((one) => one.confirms && one.heard.at(-1)?.id === id)) listener.acknowledge(id);
  return id;
}

function acknowledged(id) {
  return until('two have confirmed', async () => {
    const { deliveries } = await world.receipt(id);
    return deliveries.filter(({ status }) => status === 'acknowledged').length >= 2;
  });
}

async function twiceInVain() {
  await operator.goTo('Apps');
  return (await page.locator('main').innerText()).includes('2 in vain');
}
