import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { arrives } from '../rig/site.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

const SIGNED_IN = { isAuthenticated: true, name: 'Ada Lovelace' };
const SIGNED_OUT = { isAuthenticated: false, name: undefined };

/**
 * The stories that are the same for every framework: the app of the SDK's docs, with Auth0's own
 * SDK for it.
 *
 * @param {'react' | 'vue' | 'angular'} framework
 * @returns `page()`, the tab in which Ada is signed in, for a story of the framework's own
 */
export function tellStoriesOf(framework) {
  let world;
  let ada;
  let page;
  beforeAll(async () => {
    world = await startWorld({ docs: [framework] });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    ada = await world.person('Ada Lovelace');
    page = await ada.signInTo(framework);
    return () => ada.context.close();
  });

  /** How many sockets and requests of the app are open at the hub. */
  const openAtHub = () => world.line.openOf(world.urls[framework]);

  async function isSignedOutByNotes() {
    const notes = await ada.signInTo('notes');
    await notes.signOut();
    await page.showsSignedOut(/^You signed out in Notes$/);
    // Then the session has ended at the tenant too.
    await notes.showsSignedOut(/Notes/);
  }

  test('signs in at the tenant, and shows who is signed in', async () => {
    expect(await page.text()).toContain('Signed in as Ada Lovelace');
    expect(await page.auth0State()).toEqual(SIGNED_IN);
    expect(await page.idToken()).toMatchObject({ iss: world.tenant.issuer, aud: `spa-${framework}` });
  });

  test('holds one socket at the hub, and so does each other tab', async () => {
    await until('nothing else is open', () => openAtHub() === 1);
    expect(page.attempts).toBe(1);

    const other = await ada.open(framework);
    await other.showsPrivate();
    await until('the other tab has one too', () => openAtHub() === 2);

    await page.page.reload();
    await page.showsPrivate();
    await until('the first one has made way', () => openAtHub() === 2);
    expect([page.attempts, other.attempts]).toEqual([2, 1]);
  });

  test('a sign-out in Notes signs out its own state too, where it stands, and the notice says why', async () => {
    expect(await page.auth0State()).toEqual(SIGNED_IN);
    const loadedAt = await page.loadedAt();

    await isSignedOutByNotes();

    expect(await page.auth0State()).toEqual(SIGNED_OUT);
    expect(await page.text()).not.toContain('Ada');
    expect(await page.focusIsOnNotice()).toBe(true);
    expect(await page.loadedAt()).toBe(loadedAt);
    await until('no socket is left', () => openAtHub() === 0);

    await page.page.reload();
    await page.showsNobody();
    expect(await page.auth0State()).toEqual(SIGNED_OUT);
  });

  test('the button in the notice signs in again, in a new session', async () => {
    const before = await page.idToken();
    await isSignedOutByNotes();

    await page.signIn();

    expect(await page.auth0State()).toEqual(SIGNED_IN);
    expect((await page.idToken()).sid).not.toBe(before.sid);
    await until('it has one socket again', () => openAtHub() === 1);
  });

  test('its own "Sign out" signs Notes out as well, and ends at its own address', async () => {
    const notes = await ada.signInTo('notes');

    await page.signOut();

    const { name } = world.docs[0];
    await notes.showsSignedOut(new RegExp(`^You signed out in ${name} at`));
    await arrives(page.page, `${world.urls[framework]}/`);
    await page.showsNobody();
    expect(await page.auth0State()).toEqual(SIGNED_OUT);
  });

  test('from the back/forward cache it comes back signed out, and shows nothing private', async () => {
    await until('what is private is seen', async () => (await page.glimpses()).private > 0);
    const notes = await ada.signInTo('notes');
    await page.page.goto(world.urls.shop);

    await notes.signOut();
    await notes.showsSignedOut(/Notes/);
    await page.page.bringToFront();
    await page.page.goBack({ waitUntil: 'commit' });

    await page.showsSignedOut(/^You signed out in Notes$/);
    const { restored, private: seen } = await until('some frames were drawn', async () => {
      const glimpses = await page.glimpses();
      return glimpses.frames > 5 && glimpses;
    });
    expect({ restored, seen }).toEqual({ restored: 1, seen: 0 });
    expect(await page.auth0State()).toEqual(SIGNED_OUT);
  });

  return { page: () => page };
}
