import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { arrives } from '../rig/site.js';
import { startWorld } from '../rig/world.js';

let world;
let ledger;
let payroll;
let ada;
let page;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {}, Payroll: { frame: '/slo' } } });
  ({ Ledger: ledger, Payroll: payroll } = world.sites);
  payroll.serve('/end-session', (req, res) => endSession(req, res));
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace');
  await payroll.signIn(ada);
  page = await ledger.signIn(ada);
});

/** The whole page that the SDK's README has for the front channel. */
async function pageOfReadme() {
  const readme = await readFile(new URL('../../../client-sdk/client/README.md', import.meta.url), 'utf8');
  const [, html] = /## A page for the front channel[^]*?```html\n([^]*?)```/.exec(readme);
  return html.replaceAll('https://logout.example.com', world.urls.hub);
}

/** Ends whatever session was begun with this `iss` and `sid`. */
async function endSession(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const { iss, sid } = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
  payroll.endSessionsWhere((claims) => claims.iss === iss && claims.sid === sid);
  res.writeHead(204).end();
}

async function signOut() {
  const { iss, sid } = JSON.parse(Buffer.from((await ledger.idToken(ada.context)).split('.')[1], 'base64url').toString());
  await page.goto(await ledger.logoutUrl(ada.context), { waitUntil: 'commit' });
  await arrives(page, ledger.goodbye);
  const [frame] = await world.deliveriesTo(payroll.clientId, { iss, sid });
  return frame;
}

async function isSignedInToPayroll() {
  const tab = await ada.context.newPage();
  await tab.goto(payroll.origin);
  return (await tab.getByText('Signed in').count()) === 1;
}

test('the page in the SDK’s README ends the session at its server, and the app becomes signed out', async () => {
  const html = await pageOfReadme();
  payroll.serve('/slo', (_req, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end(html));

  expect(await signOut()).toMatchObject({ via: 'frontchannel', status: 'acknowledged' });

  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'signed out']);
  expect(await isSignedInToPayroll()).toBe(false);
});

test('the same page for an app that keeps its session in the browser is not confirmed: its frame cannot reach it', async () => {
  const html = (await pageOfReadme()).replace("sessionIn: 'server'", "sessionIn: 'storage'");
  payroll.serve('/slo', (_req, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end(html));

  expect(await signOut()).toMatchObject({ status: 'failed', error: expect.stringContaining('storage') });

  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'not confirmed']);
});
