import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveElements } from '../rig/elements-page.js';
import { startWorld } from '../rig/world.js';

let world;
/** Ada's tabs with the account page, each in a browser of its own. */
let laptop;
let phone;
let tablet;
/** Whether the token of the laptop tells of a sign-in just now. */
let isFresh = false;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {}, Payroll: {}, Desk: {} } });
  const { Ledger, Payroll, Desk } = world.sites;
  laptop = await open(Ledger, {}, { signInAgain: async () => (isFresh = true) });
  phone = await open(Payroll, { userAgent: PHONE });
  tablet = await open(Desk, { userAgent: PHONE });
});
afterAll(() => world.close());

const PHONE = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';

async function open(site, options, { signInAgain } = {}) {
  const ada = await world.person('Ada Lovelace', options);
  const idToken = async () => {
    const token = await site.idToken(ada.context);
    return token && (isFresh ? world.tokenFor(site.clientId, token) : token);
  };
  serveElements(site, { hub: world.urls.hub, idToken, signInAgain });
  const page = await site.signIn(ada);
  await page.goto(`${site.origin}/account`);
  await page.locator('body[data-state=connected]').waitFor();
  return page;
}

const rows = (page) => page.locator('slo-sessions').getByRole('listitem');
const showsSignedOut = (page) => page.getByRole('heading', { name: 'You are signed out' }).waitFor();

async function refreshes(count) {
  await laptop.evaluate(() => document.querySelector('slo-sessions').refresh());
  await expect.poll(() => rows(laptop).count(), { timeout: 10_000 }).toBe(count);
}

test('the account page of an app lists the sessions of all browsers, this one first', async () => {
  await refreshes(3);
  const texts = await rows(laptop).allInnerTexts();
  expect(texts[0]).toMatch(/Chrome on Linux\s+Current/);
  expect(texts[0]).toMatch(/Active now.*Ledger/s);
  expect(texts.slice(1).every((text) => text.includes('Chrome on Android'))).toBe(true);
  expect(texts.slice(1).join().match(/Payroll|Desk/g).sort()).toEqual(['Desk', 'Payroll']);
});

test('to end one, the person signs in again, and the list goes on', async () => {
  await rows(laptop).filter({ hasText: 'Payroll' }).getByRole('button').click();
  await laptop.getByRole('button', { name: 'Sign in again' }).click();

  await showsSignedOut(phone);
  await phone.getByRole('status').filter({ hasText: 'You signed out from another device' }).waitFor();
  await laptop.getByRole('status').filter({ hasText: 'Chrome on Android is signed out.' }).waitFor();
  expect(await rows(laptop).count()).toBe(2);
});

test('"everywhere else" asks, ends the rest, and leaves this one', async () => {
  await laptop.getByRole('button', { name: 'Sign out everywhere else' }).click();
  const dialog = laptop.getByRole('dialog', { name: 'Sign out everywhere else?' });
  expect(await dialog.innerText()).toContain('This ends 1 session on 1 device, in 1 app.');
  await dialog.getByRole('button', { name: 'Sign out everywhere else' }).click();

  await showsSignedOut(tablet);
  await laptop.getByText('You are signed in nowhere else.').waitFor();
  expect(await laptop.getByText('What nobody else may see').isVisible()).toBe(true);
});
