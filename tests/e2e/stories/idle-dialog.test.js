import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveElements } from '../rig/elements-page.js';
import { startWorld } from '../rig/world.js';

/** The hub warns ten seconds before: half of a time that is shorter than two minutes. */
const IDLE_S = 20;

let world;
let ada;
let ledger;
let payroll;
beforeAll(async () => {
  world = await startWorld({ sites: { Ledger: {}, Payroll: {} } });
  world.hub.config += `\n[session]\nidle_timeout_seconds = ${IDLE_S}\n`;
  await world.hub.kill();
  await world.hub.start();
  ada = await world.person('Ada Lovelace');
  ledger = await open(world.sites.Ledger);
  payroll = await open(world.sites.Payroll);
});
afterAll(() => world.close());

/** A tab with the site's account page, of somebody who is signed in there. */
async function open(site) {
  serveElements(site, { hub: world.urls.hub, idToken: () => site.idToken(ada.context) });
  const page = await site.signIn(ada);
  await page.goto(`${site.origin}/account`);
  await page.locator('body[data-state=connected]').waitFor();
  return page;
}

const dialog = (page) => page.getByRole('alertdialog', { name: 'Are you still there?' });
const opens = (page) => dialog(page).waitFor();
const closes = (page) => dialog(page).waitFor({ state: 'hidden' });
const both = (what) => Promise.all([ledger, payroll].map(what));
const secondsLeft = async (page) => Number(/(\d+) seconds?/.exec(await dialog(page).innerText())[1]);
/** What the focused button says, in an element or outside of all. */
const focused = (page) => page.evaluate(() => {
  const { activeElement: outer } = document;
  return (outer.shadowRoot?.activeElement ?? outer).textContent;
});

test('an idle person is asked in every open app, and one answer counts for all', async () => {
  await both(opens);
  const [here, there] = await both(secondsLeft);
  expect(Math.abs(here - there)).toBeLessThanOrEqual(1);
  expect(here).toBeLessThanOrEqual(IDLE_S / 2);
  await payroll.bringToFront();
  expect(await focused(payroll)).toBe('Stay signed in');

  // The way to the button is no answer yet.
  await payroll.mouse.move(5, 5);
  await payroll.mouse.move(50, 50);
  await payroll.mouse.click(5, 5);
  await expect.poll(() => secondsLeft(payroll), { timeout: 5_000 }).toBeLessThan(there - 1);
  expect(await dialog(ledger).isVisible()).toBe(true);

  await payroll.getByRole('button', { name: 'Stay signed in' }).click();
  await both(closes);
});

test('Escape is an answer too, and the focus goes back to where it was', async () => {
  await ledger.bringToFront();
  await ledger.getByRole('button', { name: 'Save' }).focus();

  await both(opens);
  await ledger.keyboard.press('Tab');
  expect(await focused(ledger)).toBe('Sign out now');
  await ledger.keyboard.press('Escape');

  await both(closes);
  expect(await focused(ledger)).toBe('Save');
});

test('nobody answers: both apps are signed out, and say why', async () => {
  await both(opens);
  // A line that is taken up anew is warned anew, and that is nobody's answer.
  await payroll.evaluate(() => dispatchEvent(new Event('online')));
  await both((page) => page.getByRole('heading', { name: 'You are signed out' }).waitFor());
  await both((page) => page.getByRole('status').filter({ hasText: `Signed out after ${IDLE_S} seconds without activity` }).waitFor());
  expect(await both((page) => dialog(page).isVisible())).toEqual([false, false]);
  expect(await both((page) => page.getByText('What nobody else may see').count())).toEqual([0, 0]);
});
