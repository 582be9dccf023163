import { afterAll, beforeAll, expect, test } from 'vitest';
import { until, untilAfter } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

test('a sign-out in Shop signs Notes out while it is looking, and both say why', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');

  await shop.signOut();

  await notes.showsSignedOut(/^You signed out in Shop at \d\d:\d\d\.$/);
  await shop.showsSignedOut(/^You signed out in Shop at \d\d:\d\d\.$/);
});

test('a sign-out in Notes signs Shop out just as well', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');

  await notes.signOut();

  await shop.showsSignedOut(/^You signed out in Notes at/);
  await notes.showsSignedOut(/^You signed out in Notes at/);
});

test('after a sign-out both can be signed in to again, in a new session', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const before = await notes.idToken();
  await shop.signOut();
  await notes.showsSignedOut(/Shop/);
  await shop.showsSignedOut(/Shop/);

  await notes.signIn();
  await shop.signIn();

  const [after, atShop] = [await notes.idToken(), await shop.idToken()];
  expect(after.sid).not.toBe(before.sid);
  expect(after.sid).toBe(atShop.sid);
});

test('while the session at the tenant lives, signing in again is no login loop', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const before = await notes.idToken();

  // The app reports the sign-out, but the browser never gets to the tenant to end its session.
  await ada.context.route('**/logout/continue*', (route) => route.abort());
  await shop.signOut();
  await notes.showsSignedOut(/You signed out in Shop/);
  await untilAfter(await world.feed.logout('the sign-out', ({ sid }) => sid === before.sid));

  await notes.signIn();

  expect((await notes.idToken()).sid).toBe(before.sid);
  const told = notes.toldLogouts.length;
  await notes.page.reload();
  await notes.showsPrivate();
  await until('the hub takes the tab once more', () => notes.subscriptions >= 3);
  expect(notes.toldLogouts).toHaveLength(told);
});

test('a note that was being written is there after signing in again', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  await notes.page.getByRole('button', { name: 'New note' }).click();
  await notes.page.getByRole('textbox', { name: 'Title' }).fill('Half a thought');

  await shop.signOut();
  await notes.showsSignedOut(/Shop/);
  await shop.showsSignedOut(/Shop/);
  await notes.signIn();

  await notes.page.getByRole('button', { name: /^Half a thought/ }).waitFor();
});
