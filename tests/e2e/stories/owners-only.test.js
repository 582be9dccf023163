import { afterAll, beforeAll, expect, test } from 'vitest';
import { Listener } from '../rig/listener.js';
import { untilAfter } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** Asks the hub whether this tab's session is alive. */
async function isActive(tab) {
  const response = await fetch(`${world.urls.hub}/api/v1/session`, {
    headers: { authorization: `Bearer ${await tab.rawIdToken()}`, origin: tab.origin },
  });
  return (await response.json()).active;
}

test('another person, and the same person’s other browser, hear nothing of a sign-out', async () => {
  const [ada, adaElsewhere, grace] = [
    await world.person('Ada Lovelace'),
    await world.person('Ada Lovelace'),
    await world.person('Grace Hopper'),
  ];
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const others = [await adaElsewhere.signInTo('notes'), await grace.signInTo('notes')];

  await shop.signOut();
  await notes.showsSignedOut(/You signed out in Shop/);

  for (const other of others) {
    expect(await isActive(other)).toBe(true);
    expect(other.toldLogouts).toEqual([]);
    expect(await other.isSignedIn()).toBe(true);
  }
  // Each hears of its own, and of that alone.
  for (const [at, person] of [adaElsewhere, grace].entries()) {
    const { sid } = await others[at].idToken();
    await (await person.account()).getByRole('button', { name: /this browser/ }).click();
    await others[at].showsSignedOut(/identity provider/);
    expect(others[at].toldLogouts.map((event) => event.sid)).toEqual([sid]);
  }
});

test('the same sid and sub at another issuer hear nothing', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const { sid, sub } = await notes.idToken();
  const now = Math.floor(Date.now() / 1000);
  const { issuer } = world.otherTenant;
  const token = await world.otherTenant.sign({ iss: issuer, aud: 'other-app', sub, sid, iat: now, exp: now + 600, auth_time: now });
  const listener = await Listener.subscribe({ hub: world.urls.hub, token });

  await notes.signOut();
  await notes.showsSignedOut(/You signed out in Notes/);

  // What the hub had pushed before would stand before its answer.
  expect(await listener.ask(token)).toMatchObject({ type: 'subscribed', issuer, sid, sub });
  expect(listener.heard.map(({ type }) => type)).toEqual(['subscribed', 'subscribed']);
  listener.close();
});

test('a sign-out on all devices reaches the person’s other browser and nobody else, and is no ban', async () => {
  const [ada, adaElsewhere, grace] = [
    await world.person('Ada Lovelace'),
    await world.person('Ada Lovelace'),
    await world.person('Grace Hopper'),
  ];
  const shop = await ada.signInTo('shop');
  const elsewhere = await adaElsewhere.signInTo('notes');
  const gracesNotes = await grace.signInTo('notes');

  await shop.signOutEverywhere();

  await elsewhere.showsSignedOut(/^You signed out everywhere at/);
  await shop.showsSignedOut(/^You signed out everywhere at/);
  expect(await isActive(gracesNotes)).toBe(true);
  expect(gracesNotes.toldLogouts).toEqual([]);

  await untilAfter(await world.feed.logout('the sign-out', ({ scope }) => scope === 'user'));
  await elsewhere.signIn();
});
