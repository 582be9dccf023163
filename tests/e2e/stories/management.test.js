import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld({ management: true });
});
afterAll(() => world.close());

/** The receipt, once it says that the session is over at the tenant. */
function endedThere(id) {
  return until('the session is over at the tenant', async () => {
    const receipt = await world.receipt(id);
    return receipt.issuer_session?.status === 'ended' && receipt;
  });
}

/** The sessions that a person still has at the tenant. */
async function sessionsOf(sub) {
  const { sessions } = await world.managementApi('GET', `users/${encodeURIComponent(sub)}/sessions`);
  return sessions.map(({ id }) => id);
}

async function sentFor(sid) {
  await world.tenant.backchannel.settled();
  return world.tenant.backchannel.log.filter((entry) => entry.sid === sid);
}

test('a session signed out by the hub is over at the tenant too, though revoked sessions are silent there', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const { sid, sub } = await notes.idToken();

  const id = await world.backEndReports({ sid, sub });

  await notes.showsSignedOut(/signed out/);
  await shop.showsSignedOut(/signed out/);
  expect((await endedThere(id)).final).toBe(true);
  expect(await sessionsOf(sub)).not.toContain(sid);
  expect(await sentFor(sid)).toEqual([]);
});

test('a person who signs out in an app comes home by way of a tenant that has ended the session already', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const { sid } = await notes.idToken();

  await shop.signOut();

  await shop.showsSignedOut(/You signed out in Shop/);
  await notes.showsSignedOut(/You signed out in Shop/);
  const { id } = await world.feed.logout('the sign-out', (event) => event.sid === sid);
  expect((await endedThere(id)).final).toBe(true);
});

test('sign out everywhere ends every device of that person there, and nobody else’s', async () => {
  const [laptop, phone] = [await world.person('Ada Lovelace'), await world.person('Ada Lovelace')];
  const grace = await world.person('Grace Hopper');
  const pages = [await laptop.signInTo('notes'), await phone.signInTo('shop')];
  const hers = await grace.signInTo('notes');
  const { sub } = await pages[0].idToken();

  const id = await world.backEndReports({ scope: 'user', sub });

  await Promise.all(pages.map((page) => page.showsSignedOut(/signed out/)));
  expect((await endedThere(id)).final).toBe(true);
  expect(await sessionsOf(sub)).toEqual([]);
  const herToken = await hers.idToken();
  expect(await sessionsOf(herToken.sub)).toContain(herToken.sid);
  expect(await hers.isSignedIn()).toBe(true);
});

test('what the tenant then says of it by itself is no second logout', async () => {
  const initiators = { mode: 'custom', selected_initiators: ['rp-logout', 'idp-logout', 'session-revoked'] };
  for (const client of ['spa-notes', 'spa-shop']) {
    await world.managementApi('PATCH', `clients/${client}`, { oidc_logout: { backchannel_logout_initiators: initiators } });
  }
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const { sid, sub } = await notes.idToken();

  const id = await world.backEndReports({ sid, sub });

  await notes.showsSignedOut(/signed out/);
  await shop.showsSignedOut(/signed out/);
  await endedThere(id);
  expect((await sentFor(sid)).map(({ status }) => status)).toEqual([200, 200]);
  expect(notes.toldLogouts.map((told) => told.id)).toEqual([id]);
  const marker = await world.backEndReports({ sid: 'a-later-one' });
  await world.feed.logout('a later logout', (event) => event.id === marker);
  expect(world.feed.logouts.filter((event) => event.sid === sid).map((event) => event.id)).toEqual([id]);
});
