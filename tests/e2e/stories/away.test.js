import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectNoGlimpse } from '../rig/expectations.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
let ada;
let notes;
let shop;
beforeEach(async () => {
  world = await startWorld();
  ada = await world.person('Ada Lovelace');
});
afterEach(() => world.close());

async function signInToBoth() {
  notes = await ada.signInTo('notes');
  shop = await ada.signInTo('shop');
}

test('the watch for glimpses sees private content when there is some', async () => {
  await signInToBoth();
  await until('it is seen', async () => (await notes.glimpses()).private > 0);
});

test('a tab in the back/forward cache comes back signed out and shows nothing private', async () => {
  await signInToBoth();
  await notes.page.goto(world.urls.shop);
  await notes.page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();

  await shop.signOut();
  await shop.showsSignedOut(/Shop/);
  await notes.page.goBack({ waitUntil: 'commit' });

  await notes.showsSignedOut(/^You signed out in Shop at/);
  expect((await notes.glimpses()).restored).toBe(1);
  await expectNoGlimpse(notes);
});

test('a tab in the back/forward cache whose session lives comes back as it was', async () => {
  await signInToBoth();
  await notes.page.goto(world.urls.shop);
  await notes.page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();

  await notes.page.goBack({ waitUntil: 'commit' });

  await until('it is seen again', async () => (await notes.glimpses()).private > 0);
  expect((await notes.glimpses()).restored).toBe(1);
  await shop.signOut();
  await notes.showsSignedOut(/^You signed out in Shop at/);
});

test('an app that was closed says so when it is opened, and shows nothing private', async () => {
  await signInToBoth();
  await notes.page.close();

  await shop.signOut();
  await shop.showsSignedOut(/Shop/);
  const opened = await ada.open('notes');

  await opened.showsSignedOut(/^You signed out in Shop at/);
  await expectNoGlimpse(opened);
});

test('a tab that was offline is signed out when it is back', async () => {
  await signInToBoth();
  await notes.goOffline(world.line);

  await shop.signOut();
  await shop.showsSignedOut(/Shop/);
  expect(await notes.isSignedIn()).toBe(true);
  await notes.goOnline(world.line);

  await notes.showsSignedOut(/^You signed out in Shop at/);
});

test('a hub that is killed and started again has forgotten nothing', async () => {
  await signInToBoth();
  await notes.goOffline(world.line);
  await shop.signOut();
  await shop.showsSignedOut(/Shop/);

  await world.hub.kill();
  await world.hub.start();
  await notes.goOnline(world.line);

  await notes.showsSignedOut(/^You signed out in Shop at/);
});

test('a hub that is killed and started again has forgotten nothing for an app that was closed either', async () => {
  await signInToBoth();
  await notes.page.close();
  await shop.signOut();
  await shop.showsSignedOut(/Shop/);

  await world.hub.kill();
  await world.hub.start();
  const opened = await ada.open('notes');

  await opened.showsSignedOut(/^You signed out in Shop at/);
  await expectNoGlimpse(opened);
});

test('after the hub was killed and started again, tabs come back by themselves and hear the next logout', async () => {
  await signInToBoth();
  const before = [notes.subscriptions, shop.subscriptions];

  await world.hub.kill();
  await world.hub.start();

  await until('both tabs listen again', () => notes.subscriptions > before[0] && shop.subscriptions > before[1]);
  expect([await notes.isSignedIn(), await shop.isSignedIn()]).toEqual([true, true]);
  await shop.signOut();
  await notes.showsSignedOut(/^You signed out in Shop at/);
});

test('where WebSockets are refused, the event stream does the same', async () => {
  world.line.refuseWebSockets();
  await signInToBoth();
  expect(notes.attempts).toBeGreaterThan(0);

  await shop.signOut();

  await notes.showsSignedOut(/^You signed out in Shop at/);
  await shop.showsSignedOut(/^You signed out in Shop at/);
  expect(notes.heard).toEqual([]);
});

test('where WebSockets are refused, an app that was closed shows nothing private either', async () => {
  world.line.refuseWebSockets();
  await signInToBoth();
  await notes.page.close();

  await shop.signOut();
  await shop.showsSignedOut(/Shop/);
  const opened = await ada.open('notes');

  await opened.showsSignedOut(/^You signed out in Shop at/);
  await expectNoGlimpse(opened);
});

test('a hub that is down signs nobody out, and keeps nobody from their work', async () => {
  await signInToBoth();
  const before = notes.attempts;
  await world.hub.kill();

  await until('Notes has tried to come back', () => notes.attempts > before);
  expect(await notes.isSignedIn()).toBe(true);
  await notes.page.reload();
  await notes.showsPrivate();
});

test('a hub that is down blocks no sign-out', async () => {
  await signInToBoth();
  const { sid } = await shop.idToken();
  await world.hub.kill();

  await shop.signOut();

  await shop.showsSignedOut(/^You signed out in Shop at/);
  const { sessions } = await world.managementApi('GET', 'users/auth0%7Cada/sessions');
  expect(sessions.map(({ id }) => id)).not.toContain(sid);
});
