import session from 'express-session';
import { beforeEach, describe, expect, it } from 'vitest';
import { backchannelLogout, type BackchannelLogoutHooks, type HookConfig } from './backchannel-logout.js';
import type { LogoutMark, LogoutMarkStore } from './mark-store.js';

const ISSUER = 'https://acme.eu.auth0.com/';
const ADA = 'auth0|ada';
const NOON = Date.UTC(2026, 0, 1, 12) / 1000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const CONFIG: HookConfig = { session: { name: 'appSession', absoluteDuration: 7 * DAY }, clockTolerance: 60 };

/** A store that shows what it keeps. It forgets nothing by itself. */
class Shelf implements LogoutMarkStore {
  readonly kept = new Map<string, string>();
  async get(key: string): Promise<LogoutMark | undefined> {
    const text = this.kept.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as LogoutMark);
  }
  async set(key: string, mark: LogoutMark): Promise<void> {
    this.kept.set(key, JSON.stringify(mark));
  }
}

interface Claims {
  readonly iss?: unknown;
  readonly sid?: unknown;
  readonly sub?: unknown;
  readonly iat?: number;
  readonly auth_time?: number;
}

/** A session of the app, with the claims of its ID token. */
function appSession(claims: Claims) {
  return { appSession: {} as Record<string, unknown>, oidc: { idTokenClaims: { iss: ISSUER, sub: ADA, iat: NOON, ...claims } } };
}

let time: number;
let shelf: Shelf;
let hooks: BackchannelLogoutHooks;
const logout = (claims: Claims) => hooks.onLogoutToken({ iss: ISSUER, iat: time, ...claims }, CONFIG);
const isOver = (request: ReturnType<typeof appSession>) => hooks.isLoggedOut(request, CONFIG);

beforeEach(() => {
  time = NOON;
  shelf = new Shelf();
  hooks = backchannelLogout({ store: shelf, now: () => time * 1000 });
});

describe('a logout token with a sid', () => {
  it('ends that session, and leaves the person’s other devices signed in', async () => {
    const [laptop, phone] = [appSession({ sid: 'laptop' }), appSession({ sid: 'phone' })];
    await logout({ sid: 'laptop', sub: ADA });
    expect(await isOver(laptop)).toBe(true);
    expect(await isOver(phone)).toBe(false);
  });

  it('ends it however new its tokens are', async () => {
    await logout({ sid: 'laptop' });
    expect(await isOver(appSession({ sid: 'laptop', iat: NOON + HOUR }))).toBe(true);
  });

  it('is not taken for one of another issuer', async () => {
    await logout({ sid: 'laptop', iss: 'https://other.example/' });
    expect(await isOver(appSession({ sid: 'laptop' }))).toBe(false);
  });

  it('says nothing about a person whose sub reads like that sid', async () => {
    await logout({ sid: 'one' });
    expect(await isOver(appSession({ sid: 'two', sub: 'one' }))).toBe(false);
  });
});

describe('a logout token with a sub alone', () => {
  it('ends every session of that person which had begun, and nobody else’s', async () => {
    await logout({ sub: ADA });
    expect(await isOver(appSession({ sid: 'laptop', iat: NOON - DAY }))).toBe(true);
    expect(await isOver(appSession({ sid: 'phone', iat: NOON }))).toBe(true);
    expect(await isOver(appSession({ sid: 'grace', sub: 'auth0|grace', iat: NOON - DAY }))).toBe(false);
  });

  it('leaves a later sign-in alone', async () => {
    await logout({ sub: ADA });
    expect(await isOver(appSession({ sid: 'new', iat: NOON + 1 }))).toBe(false);
  });

  it('goes by when the person signed in at the issuer, where the token says so', async () => {
    await logout({ sub: ADA });
    expect(await isOver(appSession({ auth_time: NOON - HOUR, iat: NOON + HOUR }))).toBe(true);
  });

  it('is not outrun by a token that was refreshed since', async () => {
    const laptop = appSession({ sid: 'laptop', iat: NOON - HOUR });
    hooks.onLogin(laptop, CONFIG);
    await logout({ sub: ADA });
    const refreshed = { ...appSession({ sid: 'laptop', iat: NOON + HOUR }), appSession: laptop.appSession };
    expect(await isOver(refreshed)).toBe(true);
  });

  it('is not undone by an older one that comes later, or at the same time', async () => {
    const before = NOON - HOUR;
    await Promise.all([logout({ sub: ADA }), logout({ sub: ADA, iat: before })]);
    await logout({ sub: ADA, iat: before });
    expect(await isOver(appSession({ iat: NOON - 1 }))).toBe(true);
  });

  it('dated in the future does not end sign-ins of the future', async () => {
    await logout({ sub: ADA, iat: NOON + DAY });
    expect(await isOver(appSession({ iat: NOON + 60 }))).toBe(true);
    expect(await isOver(appSession({ iat: NOON + 61 }))).toBe(false);
  });
});

describe('a sign-in', () => {
  it('takes back nothing: the session that was ended stays ended', async () => {
    const phone = appSession({ sid: 'phone', iat: NOON - HOUR });
    await logout({ sid: 'laptop', sub: ADA });
    await logout({ sub: ADA });
    time = NOON + HOUR;
    const again = appSession({ sid: 'new', iat: time });
    hooks.onLogin(again, CONFIG);
    expect(await isOver(again)).toBe(false);
    expect(await isOver(phone)).toBe(true);
    expect(await isOver(appSession({ sid: 'laptop', iat: time }))).toBe(true);
  });

  it('into a session that is there already counts from now', async () => {
    const laptop = appSession({ sid: 'laptop', iat: NOON - HOUR });
    hooks.onLogin(laptop, CONFIG);
    await logout({ sub: ADA });
    const again = { ...appSession({ sid: 'new', iat: NOON + 1 }), appSession: laptop.appSession };
    hooks.onLogin(again, CONFIG);
    expect(await isOver(again)).toBe(false);
  });
});

describe('a mark', () => {
  const until = async () => {
    const [text] = shelf.kept.values();
    return (JSON.parse(text ?? '') as LogoutMark).logout.until;
  };

  it('is kept for as long as a session may live, and an hour', async () => {
    await logout({ sid: 'laptop' });
    expect(await until()).toBe(NOON + 7 * DAY + HOUR);
    time = NOON + 7 * DAY + HOUR - 1;
    expect(await isOver(appSession({ sid: 'laptop' }))).toBe(true);
    time += 1;
    expect(await isOver(appSession({ sid: 'laptop' }))).toBe(false);
  });

  it('is kept 400 days where sessions have no longest life', async () => {
    await hooks.onLogoutToken({ iss: ISSUER, iat: NOON, sid: 'laptop' }, { session: { absoluteDuration: false } });
    expect(await until()).toBe(NOON + 400 * DAY + HOUR);
  });

  it('tells a store of express-session how long, in the way these understand', async () => {
    await logout({ sid: 'laptop' });
    const { cookie } = JSON.parse([...shelf.kept.values()][0] ?? '') as LogoutMark;
    expect(cookie).toEqual({ expires: (NOON + 7 * DAY + HOUR) * 1000, maxAge: (7 * DAY + HOUR) * 1000 });
  });

  it('has neither sid nor sub in its key or its value', async () => {
    await logout({ sid: 'laptop' });
    await logout({ sub: ADA });
    expect(shelf.kept.size).toBe(2);
    expect(JSON.stringify([...shelf.kept])).not.toMatch(/laptop|ada|acme/);
  });
});

describe('what is not as it should be', () => {
  it.each([
    ['a sid of a wrong type', { sid: 5, sub: ADA }],
    ['an empty sid', { sid: '', sub: ADA }],
    ['a sid of null', { sid: null, sub: ADA }],
    ['neither sid nor sub', {}],
  ])('is refused and ends nothing: %s', async (_what, claims) => {
    await expect(logout(claims)).rejects.toThrow(TypeError);
    expect(shelf.kept.size).toBe(0);
  });

  it('is a store that fails: no logout is called done, and no session alive', async () => {
    const broken = backchannelLogout({ store: { get: async () => Promise.reject(new Error('disk')), set: async () => Promise.reject(new Error('disk')) } });
    await expect(broken.onLogoutToken({ iss: ISSUER, sid: 'laptop' }, CONFIG)).rejects.toThrow('disk');
    await expect(broken.isLoggedOut(appSession({ sid: 'laptop' }), CONFIG)).rejects.toThrow('disk');
  });

  it('is a store that failed once: the next logout of a person is kept', async () => {
    let works = false;
    const moody = backchannelLogout({
      store: { get: (key: string) => shelf.get(key), set: async (key: string, mark: LogoutMark) => (works ? shelf.set(key, mark) : Promise.reject(new Error('busy'))) },
    });
    await expect(moody.onLogoutToken({ iss: ISSUER, iat: NOON, sub: ADA }, CONFIG)).rejects.toThrow('busy');
    works = true;
    await moody.onLogoutToken({ iss: ISSUER, iat: NOON, sub: ADA }, CONFIG);
    expect(await isOver(appSession({}))).toBe(true);
  });

  it('is a store that loses a part of the mark', async () => {
    const forgetful = backchannelLogout({ store: { get: async () => ({ cookie: {} }), set: async () => {} } });
    await expect(forgetful.isLoggedOut(appSession({ sid: 'laptop' }), CONFIG)).rejects.toThrow('whole value');
  });

  it('is a session without any time: every logout of its person ends it', async () => {
    await logout({ sub: ADA });
    expect(await isOver({ appSession: {}, oidc: { idTokenClaims: { iss: ISSUER, sub: ADA } } } as never)).toBe(true);
  });
});

describe('the store', () => {
  it('can be one of express-session', async () => {
    const store = new session.MemoryStore();
    const real = backchannelLogout({ store });
    const now = Math.floor(Date.now() / 1000);
    await real.onLogoutToken({ iss: ISSUER, iat: now, sid: 'laptop' }, CONFIG);
    expect(await real.isLoggedOut(appSession({ sid: 'laptop' }), CONFIG)).toBe(true);
    expect(await real.isLoggedOut(appSession({ sid: 'phone' }), CONFIG)).toBe(false);
  });

  it('that answers by the callback is waited for, though its method is async and returns at once', async () => {
    await logout({ sid: 'laptop' });
    const late: LogoutMarkStore = {
      get: async (key, done) => void setImmediate(() => void shelf.get(key).then((kept) => done(undefined, kept))),
      set: async (_key, _mark, done) => done(),
    };
    const patient = backchannelLogout({ store: late, now: () => time * 1000 });
    expect(await patient.isLoggedOut(appSession({ sid: 'laptop' }), CONFIG)).toBe(true);
  });
});
