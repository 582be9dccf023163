import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectNoGlimpse } from '../rig/expectations.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

/** What a React app with Auth0's SDK for React does, besides all that Notes does as well. */
let world;
let ada;
let notes;
let shop;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  ada = await world.person('Ada Lovelace');
  notes = await ada.signInTo('notes');
  shop = await ada.signInTo('shop');
});

function hasFocus(locator) {
  return locator.evaluate((one) => one === one.getRootNode().activeElement);
}

const button = (name) => shop.page.getByRole('button', { name, exact: true });

test('one sign-in is one connection', async () => {
  expect([shop.attempts, shop.subscriptions]).toEqual([1, 1]);
});

test('signed out elsewhere, the keyboard begins at the heading, and the next stop signs in again', async () => {
  await notes.signOut();
  await shop.showsSignedOut(/^You signed out in Notes at \d\d:\d\d\.$/);
  await notes.showsSignedOut(/Notes/);

  const heading = shop.page.getByRole('heading', { name: 'You are signed out' });
  await until('the heading has the focus', () => hasFocus(heading));
  await shop.page.keyboard.press('Tab');
  expect(await hasFocus(button('Sign in again'))).toBe(true);
  await shop.page.keyboard.press('Enter');

  await shop.page.getByRole('button', { name: 'Ada Lovelace' }).click();
  await shop.showsPrivate();
  expect(shop.page.url()).toBe(`${shop.origin}/`);
});

test('signed out elsewhere, a reload says the same', async () => {
  await notes.signOut();
  await shop.showsSignedOut(/^You signed out in Notes at/);
  const said = await shop.page.getByRole('status').textContent();

  await shop.page.reload();

  await shop.showsSignedOut(/^You signed out in Notes at/);
  expect(await shop.page.getByRole('status').textContent()).toBe(said);
  await until('the heading has the focus', () => hasFocus(shop.page.getByRole('heading')));
});

test('Shop in the back/forward cache comes back signed out and shows nothing private', async () => {
  await shop.page.goto(world.urls.notes);
  await shop.page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();

  await notes.signOut();
  await notes.showsSignedOut(/Notes/);
  await shop.page.goBack({ waitUntil: 'commit' });

  await shop.showsSignedOut(/^You signed out in Notes at/);
  expect((await shop.glimpses()).restored).toBe(1);
  await expectNoGlimpse(shop);
});

describe('after a sign-out the Back button shows nothing private', () => {
  test.each([['there', false], ['down', true]])('the hub being %s', async (_how, isDown) => {
    if (isDown) await world.hub.kill();
    await shop.signOut();
    await shop.showsSignedOut(/^You signed out in Shop at/);
    if (isDown) await world.hub.start();

    await shop.page.goBack({ waitUntil: 'commit' });

    await shop.page.getByRole('heading', { name: 'Good things for the house' }).waitFor();
    expect((await shop.glimpses()).restored).toBe(1);
    await expectNoGlimpse(shop);
  });
});

test('who steps through the cart with the keyboard stays where they are, and finds it again after a sign-out', async () => {
  await button('Add Harbour mug to the cart').click();
  await shop.page.getByRole('status').filter({ hasText: 'Harbour mug: 1 in the cart.' }).waitFor();
  await button('Cart, 1 item').click();
  await button('One more of Harbour mug').focus();
  await shop.page.keyboard.press('Enter');
  await shop.page.keyboard.press('Enter');
  const cart = shop.page.getByRole('dialog', { name: 'Your cart' });
  await cart.getByText('€72.00').first().waitFor();
  expect(await hasFocus(button('One more of Harbour mug'))).toBe(true);
  await shop.page.keyboard.press('Escape');

  await shop.signOut();
  await shop.showsSignedOut(/Shop/);
  await shop.signIn();

  await button('Cart, 3 items').waitFor();
});
