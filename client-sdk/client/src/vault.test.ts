import { describe, expect, it } from 'vitest';
import { App, pass, settle } from '../test/app.js';
import { FakeHub, idToken } from '../test/hub.js';
import { Origin } from '../test/page.js';
import { isSameLogin, readLogin } from './login.js';

const HOUR = 3_600_000;
const isTicket = expect.stringMatching(/^slo1\./) as string;

/** A page of the app that is closed, or discarded, or reloaded: all that is left is in storage. */
async function visit(hub: FakeHub, origin: Origin, token: string | null): Promise<App> {
  const app = await App.open(hub, { origin, token });
  app.client.stop();
  await pass(HOUR);
  return app;
}

describe('a held ticket speaks for its own sign-in over a reload', () => {
  it('is presented before the token that the app has now, though that was refreshed', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken({ nonce: 'n1' }));
    // Providers leave the nonce out of a refreshed token, or keep the first one.
    await visit(hub, origin, idToken());
    await visit(hub, origin, idToken({ nonce: 'n1' }));
    expect(hub.presented.slice(1)).toEqual([isTicket, isTicket]);
  });

  it('so an app that was closed while its person signed out elsewhere is told, although it refreshed first', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken({ nonce: 'n1' }));
    const id = hub.signOutElsewhere();
    await pass(HOUR);
    const app = await App.open(hub, { origin, token: idToken() });
    expect(await app.client.ready).toBe('signed-out');
    expect(app.told.map((event) => event.id)).toEqual([id]);
  });

  it('ID tokens are never written', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const app = await App.open(hub, { origin });
    const text = [...origin.stored.values()].join();
    expect(text).toContain('slo1.');
    expect(text).not.toContain(app.token);
  });

  it('works without storage', async () => {
    const hub = new FakeHub();
    const app = new App(hub, { autoStart: false });
    Object.defineProperty(app.page, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    app.client.start();
    await settle();
    expect(app.state).toBe('connected');
    hub.signOutElsewhere();
    await settle();
    expect(app.told).toHaveLength(1);
  });

  it('works with rubbish in storage', async () => {
    for (const rubbish of ['', '{', '7', 'null', '{"credential":"x"}']) {
      const origin = new Origin();
      origin.stored.set('slo-hub:https://hub.example', rubbish);
      const app = await App.open(new FakeHub(), { origin });
      expect(app.state, rubbish).toBe('connected');
    }
  });
});

describe('a held ticket never signs out a new login', () => {
  it('after a sign-out elsewhere the ticket is gone, and the same sid may sign in again', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const before = await App.open(hub, { origin, token: idToken() });
    hub.signOutElsewhere();
    await settle();
    expect(before.told).toHaveLength(1);
    expect(origin.stored.size).toBe(0);
    await pass(2_000);
    // No nonce, so nothing in the token itself tells.
    const after = await App.open(hub, { origin, token: idToken() });
    expect(await after.client.ready).toBe('connected');
    expect(after.told).toEqual([]);
  });

  it('after a sign-out of the app\'s own, too, also when the hub was away', async () => {
    for (const isDown of [false, true]) {
      const hub = new FakeHub();
      const origin = new Origin();
      const before = await App.open(hub, { origin, token: idToken() });
      hub.isDown = isDown;
      await before.client.signOut();
      expect(origin.stored.size).toBe(0);
    }
  });

  it('a new sign-in that the SDK did not see, in the same session, is told by its nonce', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken({ nonce: 'n1' }));
    hub.signOutElsewhere();
    await pass(HOUR);
    const token = idToken({ nonce: 'n2' });
    const app = await App.open(hub, { origin, token });
    expect(hub.presented.at(-1)).toBe(token);
    expect(await app.client.ready).toBe('connected');
  });

  it('or by the time the person proved who they are', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken({ auth_time: 1_000 }));
    hub.signOutElsewhere();
    const app = await App.open(hub, { origin, token: idToken({ auth_time: 2_000, iat: Date.now() / 1000 + 5 }) });
    expect(await app.client.ready).toBe('connected');
  });

  it('or by the page having seen that nobody was signed in', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken());
    hub.signOutElsewhere();
    await pass(HOUR);
    await visit(hub, origin, null);
    const app = await App.open(hub, { origin, token: idToken() });
    expect(await app.client.ready).toBe('connected');
    expect(app.told).toEqual([]);
  });

  it('but an app that asks before it has restored its session loses nothing, where tokens have a nonce', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await visit(hub, origin, idToken({ nonce: 'n1' }));
    hub.signOutElsewhere();
    await pass(HOUR);
    const app = await App.open(hub, { origin, token: null });
    app.token = idToken();
    app.client.start();
    await settle();
    expect(app.told).toHaveLength(1);
  });

  it('another person, session, app or issuer has nothing to do with it', async () => {
    for (const other of [{ sub: 'bob' }, { sid: 's2' }, { aud: 'shop' }, { iss: 'https://other.example/' }]) {
      const hub = new FakeHub();
      const origin = new Origin();
      await visit(hub, origin, idToken());
      const token = idToken(other);
      await visit(hub, origin, token);
      expect(hub.presented.at(-1)).toBe(token);
    }
  });

  it('an old tab that wakes up late is told, and leaves the new login of the other tab alone', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const old = await App.open(hub, { origin, token: idToken({ nonce: 'n1' }) });
    old.page.leave();
    await settle();
    hub.signOutElsewhere();
    await pass(HOUR);
    const fresh = await App.open(hub, { origin, token: idToken({ nonce: 'n2' }) });
    old.page.comeBack();
    await settle();
    expect(old.state).toBe('signed-out');
    expect(fresh.state).toBe('connected');
    expect(fresh.told).toEqual([]);
    // And its ticket is still there for the next reload.
    fresh.client.stop();
    await App.open(hub, { origin, token: idToken() });
    expect(hub.presented.at(-1)).toBe([...hub.presented].filter((one) => one.startsWith('slo1.')).at(-1));
  });

  it('a start after a stop asks the app whose session it is', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.client.stop();
    app.token = idToken({ sub: 'bob', sid: 's2' });
    app.client.start();
    await settle();
    expect(hub.presented.at(-1)).toBe(app.token);
  });
});

describe('reading a sign-in', () => {
  it('is by issuer, app, person and session', () => {
    const login = readLogin(idToken({ nonce: 'n', auth_time: 7 }));
    expect(login).toEqual({ session: '["https://acme.eu.auth0.com/","notes","ada","s1"]', nonce: 'n', at: 7 });
  });

  it('reads names in any script', () => {
    expect(isSameLogin(readLogin(idToken({ sub: 'åda' })), readLogin(idToken({ sub: 'åda' })))).toBe(true);
    expect(isSameLogin(readLogin(idToken({ sub: 'åda' })), readLogin(idToken({ sub: 'öda' })))).toBe(false);
  });

  it('what is no token is like itself alone', () => {
    expect(isSameLogin(readLogin('a.b'), readLogin('a.b'))).toBe(true);
    expect(isSameLogin(readLogin('a.b'), readLogin('c'))).toBe(false);
  });
});
