import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld } from '../rig/world.js';

const AT_THE_PROVIDER = /^Your session was ended at the identity provider at \d\d:\d\d\.$/;

let world;
beforeAll(async () => {
  world = await startWorld({ hubClient: true, management: true });
});
afterAll(() => world.close());

async function revokesTheSessionOf(page) {
  await world.managementApi('POST', `sessions/${(await page.idToken()).sid}/revoke`);
  await world.tenant.backchannel.settled();
}

test('what Auth0 keeps silent about by default the doctor finds, prints the body for, and mends when told to', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');

  const found = await world.hub.run('doctor');
  expect(found.code).toBe(1);
  for (const scope of ['read:sessions', 'delete:sessions', 'read:clients']) {
    expect(found.said).toContain(`✓ the hub's client for its Management API was granted ${scope}`);
  }
  expect(found.said).toMatch(/✗ Notes: not told of session-revoked/);
  expect(found.said).toContain(`PATCH ${world.tenant.issuer}api/v2/clients/spa-notes`);
  expect(found.said).toMatch(/"backchannel_logout_initiators": {\s+"mode": "all"\s+}/);
  await revokesTheSessionOf(notes);
  expect(await notes.isSignedIn()).toBe(true);

  const mended = await world.hub.run('doctor', '--fix', '--yes');
  expect(mended.said).toContain('Done.');
  const { said } = await world.hub.run('doctor');
  expect(said).toMatch(/✓ Notes: whatever ends a session is told/);
  expect(said).not.toContain('session-revoked');

  await notes.signOut();
  await notes.showsSignedOut(/You signed out in Notes/);
  await shop.showsSignedOut(/You signed out in Notes/);
  await notes.signIn();
  await shop.signIn();
  await revokesTheSessionOf(notes);
  await notes.showsSignedOut(AT_THE_PROVIDER);
  await shop.showsSignedOut(AT_THE_PROVIDER);
});

test('a change is asked about first, and where there is nobody to ask nothing is changed', async () => {
  const refused = await world.hub.run('doctor', '--fix');
  expect(refused.code).toBe(2);
  expect(refused.said).toContain('add --yes');
});
