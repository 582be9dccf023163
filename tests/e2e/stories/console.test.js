import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEMO_USERS } from '../../../demo-apps/tenant/lib/demo.js';
import { openConsoleToLogin } from '../rig/console-login.js';
import { ConsolePage } from '../rig/console-page.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld({ hubClient: true });
});
afterAll(() => world.close());

test('an operator signs in, counts what would end of a person, and ends it; the page tells of it by itself', async () => {
  const ada = await world.person('Ada Lovelace');
  const grace = await world.person('Grace Hopper');
  const [notes, shop, others] = [await ada.signInTo('notes'), await ada.signInTo('shop'), await grace.signInTo('notes')];
  const { sub, sid } = await notes.idToken();

  const operator = await ConsolePage.open(world);
  const { page } = operator;
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await operator.signIn('not-the-token');
  await page.getByText('That is not the token.').waitFor();
  await operator.signIn();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'slo-console', httpOnly: true, sameSite: 'Strict' });

  await operator.countsWhatWouldEnd({ sub, issuer: world.tenant.issuer, reason: 'Your laptop was stolen' });
  await page.getByText('1 session of 1 person').waitFor();
  await Promise.all([notes, shop, others].map((tab) => tab.showsPrivate()));
  expect(await page.content()).not.toContain(sub);

  await operator.confirms(1);
  await page.getByText('All of a person’s sessions ended').waitFor();
  await Promise.all([notes, shop].map((tab) => tab.showsSignedOut(/Your laptop was stolen/)));
  await others.showsPrivate();
  // The page looks for news itself.
  for (const name of ['Notes', 'Shop']) {
    await page.getByRole('row', { name: new RegExp(`^${name}`) }).getByText('confirmed', { exact: true }).waitFor();
  }
  for (const text of [await page.content(), ...asked]) for (const name of [sub, sid]) expect(text).not.toContain(name);
  await operator.close();
});

test('without JavaScript the console is whole', async () => {
  const context = await world.browser.newContext({ javaScriptEnabled: false });
  const operator = new ConsolePage(await context.newPage(), world.urls.console);
  await operator.signIn();
  for (const place of ['Logouts', 'Apps', 'Deliveries', 'Issuers and keys', 'Checks', 'End sessions', 'Overview']) {
    await operator.goTo(place);
    expect(await operator.page.getByRole('heading', { level: 1 }).textContent()).toBe(place);
  }
  await operator.page.getByRole('button', { name: 'Sign out' }).click();
  await operator.page.getByLabel('Administrators’ token').waitFor();
  await operator.close();
});

test('who is no operator is told so and signs in as one; their sign-out at the company’s login closes the console by itself', async () => {
  const [ada, grace] = DEMO_USERS;
  const address = await openConsoleToLogin(world, [ada.id]);
  const person = await world.person(grace.name);
  const { page } = new ConsolePage(await person.context.newPage(), address);
  await page.goto(address);
  await page.getByRole('link', { name: 'Sign in with localhost' }).click();
  await page.getByRole('button', { name: grace.name }).click();
  await page.getByRole('heading', { name: 'This sign-in does not open the console' }).waitFor();
  for (const name of [grace.id, grace.name, grace.email]) expect(await page.content()).not.toContain(name);

  await page.getByRole('link', { name: 'Sign in as someone else' }).click();
  await page.getByRole('button', { name: ada.name }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const cookies = await person.context.cookies(address);
  expect(cookies.find(({ name }) => name === 'slo-console')).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  expect(page.url()).toBe(address);

  const account = await person.account();
  await account.getByRole('button', { name: /^Sign out .*this browser/ }).click();
  await account.getByRole('heading').first().waitFor();
  // Nobody touches the console.
  await page.bringToFront();
  await page.getByRole('link', { name: 'Sign in with localhost' }).waitFor();
  await person.context.close();

  const context = await world.browser.newContext({ javaScriptEnabled: false });
  const plain = new ConsolePage(await context.newPage(), address);
  await plain.page.goto(address);
  await plain.page.getByRole('link', { name: 'Sign in with localhost' }).click();
  await plain.page.getByRole('button', { name: ada.name }).click();
  await plain.page.getByRole('heading', { name: 'Overview' }).waitFor();
  await plain.page.getByRole('button', { name: 'Sign out' }).click();
  await plain.page.getByRole('link', { name: 'Sign out everywhere' }).waitFor();
  await plain.close();
});
