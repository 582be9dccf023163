import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld } from '../rig/world.js';

const AT_THE_PROVIDER = /^Your session was ended at the identity provider at \d\d:\d\d\.$/;

let world;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** The logout tokens that the tenant has sent for a session, once none is under way. */
async function sentFor(sid) {
  await world.tenant.backchannel.settled();
  return world.tenant.backchannel.log.filter((entry) => entry.sid === sid);
}

/** Every logout of a session that the hub has recorded so far: later ones come later on the feed. */
async function recordedFor(sid) {
  const grace = await world.person('Grace Hopper');
  const notes = await grace.signInTo('notes');
  const { sid: marker } = await notes.idToken();
  await notes.signOut();
  await world.feed.logout('a later logout', (event) => event.sid === marker);
  return world.feed.logouts.filter((event) => event.sid === sid);
}

test('a session ended on the tenant’s own page ends in both apps', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');

  const account = await ada.account();
  await account.getByRole('button', { name: /this browser/ }).click();

  await notes.showsSignedOut(AT_THE_PROVIDER);
  await shop.showsSignedOut(AT_THE_PROVIDER);
});

test('two logout tokens, one for each app, are one logout with one id, told once', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const { sid } = await notes.idToken();

  const account = await ada.account();
  await account.getByRole('button', { name: /this browser/ }).click();
  await notes.showsSignedOut(AT_THE_PROVIDER);
  await shop.showsSignedOut(AT_THE_PROVIDER);

  expect((await sentFor(sid)).map(({ clientId, status }) => `${clientId} ${status}`).sort()).toEqual(['spa-notes 200', 'spa-shop 200']);
  const [logout, ...others] = await recordedFor(sid);
  expect(others).toEqual([]);
  expect(notes.toldLogouts.map(({ id }) => id)).toEqual([logout.id]);
  expect(shop.toldLogouts.map(({ id }) => id)).toEqual([logout.id]);
});

test('a logout that the app and the tenant both report is one logout with one id, told once', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const { sid } = await notes.idToken();

  await shop.signOut();
  await shop.showsSignedOut(/You signed out in Shop/);
  await notes.showsSignedOut(/You signed out in Shop/);

  expect((await sentFor(sid)).map(({ status }) => status)).toEqual([200, 200]);
  const [logout, ...others] = await recordedFor(sid);
  expect(logout).toMatchObject({ source: 'app', reason: 'You signed out in Shop' });
  expect(others).toEqual([]);
  expect(notes.toldLogouts.map(({ id }) => id)).toEqual([logout.id]);
});

test('a session revoked by the Management API is silent by default, and heard once the initiators name it', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const first = await notes.idToken();

  await world.managementApi('POST', `sessions/${first.sid}/revoke`);
  expect(await sentFor(first.sid)).toEqual([]);
  expect(await notes.isSignedIn()).toBe(true);

  const initiators = { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout', 'session-revoked'] };
  for (const client of ['spa-notes', 'spa-shop']) {
    await world.managementApi('PATCH', `clients/${client}`, { oidc_logout: { backchannel_logout_initiators: initiators } });
  }
  await notes.signOut();
  await notes.showsSignedOut(/You signed out in Notes/);
  await shop.showsSignedOut(/You signed out in Notes/);
  await notes.signIn();
  await shop.signIn();
  await world.managementApi('POST', `sessions/${(await notes.idToken()).sid}/revoke`);

  await notes.showsSignedOut(AT_THE_PROVIDER);
  await shop.showsSignedOut(AT_THE_PROVIDER);
});
