import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pass, settle } from '../test/app.js';
import { FakeHub, HUB, idToken } from '../test/hub.js';
import { FakePage, Origin } from '../test/page.js';
import type { Auth0Like, Auth0SloOptions } from './auth0.js';

/** Auth0's client as far as it matters here. Its cache may be shared by tabs, as with `cacheLocation: 'localstorage'`. */
class FakeAuth0 {
  readonly calls: string[] = [];
  readonly navigated: string[] = [];
  fresh: string | undefined;

  constructor(readonly cache: { token?: string | undefined }) {}

  async getIdTokenClaims(): Promise<{ __raw: string } | undefined> {
    return this.cache.token === undefined ? undefined : { __raw: this.cache.token };
  }

  async getTokenSilently(options: { cacheMode: string }): Promise<void> {
    this.calls.push(`getTokenSilently ${options.cacheMode}`);
    this.cache.token = this.fresh;
  }

  async logout(options: { openUrl?: false | ((url: string) => unknown); logoutParams?: { returnTo?: string } } = {}): Promise<void> {
    this.calls.push(options.openUrl === false ? 'logout here' : 'logout and go');
    this.cache.token = undefined;
    const url = `https://acme.eu.auth0.com/v2/logout?returnTo=${options.logoutParams?.returnTo ?? ''}`;
    if (options.openUrl) await options.openUrl(url);
    else if (options.openUrl !== false) this.navigated.push(url);
  }
}

let page: FakePage;
let hub: FakeHub;

beforeEach(() => {
  hub = new FakeHub();
  page = new FakePage(hub.network());
});
afterEach(() => vi.unstubAllGlobals());

/** Opens the app in a page, whose parts are the globals from then on. */
async function open(auth0: Auth0Like, options: Partial<Auth0SloOptions> = {}, at = page) {
  const names = ['document', 'location', 'localStorage', 'BroadcastChannel', 'fetch', 'WebSocket', 'addEventListener', 'reportError'] as const;
  for (const name of names) {
    const value: unknown = at[name];
    vi.stubGlobal(name, typeof value === 'function' && name === 'addEventListener' ? value.bind(at) : value);
  }
  const { withAuth0 } = await import('./auth0.js');
  const slo = withAuth0(auth0, { hub: HUB, ...options });
  await settle();
  return slo;
}

describe('withAuth0', () => {
  it('presents the ID token that Auth0 has', async () => {
    const token = idToken();
    const slo = await open(new FakeAuth0({ token }));
    expect(slo.state).toBe('connected');
    expect(hub.presented).toEqual([token]);
  });

  it('is idle when nobody is signed in', async () => {
    const slo = await open(new FakeAuth0({}));
    expect(await slo.ready).toBe('idle');
  });

  it('refreshes only when the hub says that the token has expired', async () => {
    const auth0 = new FakeAuth0({ token: idToken({ exp: 0 }) });
    auth0.fresh = idToken();
    const slo = await open(auth0);
    expect(auth0.calls).toEqual(['getTokenSilently off']);
    expect(slo.state).toBe('connected');
  });

  it('a refresh that fails signs nobody out', async () => {
    const auth0 = new FakeAuth0({ token: idToken({ exp: 0 }) });
    auth0.getTokenSilently = () => Promise.reject(new Error('login_required'));
    const onSignedOut = vi.fn();
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    const slo = await open(auth0, { onSignedOut });
    await pass(600_000);
    expect(shown).toHaveBeenCalledWith(expect.objectContaining({ code: 'token_failed' }));
    expect(onSignedOut).not.toHaveBeenCalled();
    expect(slo.state).not.toBe('signed-out');
  });

  it('takes what useAuth0() returns as well', async () => {
    const auth0 = new FakeAuth0({ token: idToken({ exp: 0 }) });
    auth0.fresh = idToken();
    const slo = await open({
      getIdTokenClaims: () => auth0.getIdTokenClaims(),
      logout: (options) => auth0.logout(options),
      getAccessTokenSilently: (options) => auth0.getTokenSilently(options),
    });
    expect(slo.state).toBe('connected');
  });
});

describe('local sign-out happens before the handler paints, and is acknowledged after it', () => {
  it('in that order', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    await open(auth0, {
      onSignedOut: () => void auth0.calls.push(`paint, acked: ${hub.acked.length}, token: ${auth0.cache.token}`),
    });
    const id = hub.signOutElsewhere();
    await settle();
    expect(auth0.calls).toEqual(['logout here', 'paint, acked: 0, token: undefined']);
    expect(hub.acked).toEqual([id]);
    expect(auth0.navigated).toEqual([]);
  });

  it('clears Auth0\'s state though its cache is empty already: its pages must see it', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    await open(auth0);
    auth0.cache.token = undefined;
    hub.signOutElsewhere();
    await settle();
    expect(auth0.calls).toEqual(['logout here']);
  });

  it('also when the token has been refreshed since', async () => {
    const auth0 = new FakeAuth0({ token: idToken({ nonce: 'n1' }) });
    await open(auth0);
    auth0.cache.token = idToken({ iat: Date.now() / 1000 + 60 });
    hub.signOutElsewhere();
    await settle();
    expect(auth0.cache.token).toBeUndefined();
  });

  it('but a tab that wakes up late does not end the new sign-in of another, which shares its storage', async () => {
    const origin = new Origin();
    const cache: { token?: string | undefined } = { token: idToken({ nonce: 'n1' }) };
    const oldPage = new FakePage(hub.network(), origin);
    const onSignedOut = vi.fn();
    const old = await open(new FakeAuth0(cache), { onSignedOut }, oldPage);
    oldPage.leave();
    await settle();
    hub.signOutElsewhere();
    await pass(60_000);
    const newer = idToken({ nonce: 'n2' });
    cache.token = newer;
    oldPage.comeBack();
    await settle();
    expect(old.state).toBe('signed-out');
    expect(onSignedOut).toHaveBeenCalledOnce();
    expect(cache.token).toBe(newer);
  });
});

describe('logout', () => {
  it('tells the hub, clears the app, and goes on by way of the hub', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    const onSignedOut = vi.fn();
    const slo = await open(auth0, { onSignedOut });
    await slo.logout({ reason: 'You signed out in Notes', logoutParams: { returnTo: 'https://notes.example/bye' } });
    await settle();
    expect(page.location.assign).toHaveBeenCalledExactlyOnceWith(`${HUB}/logout/continue?ticket=once`);
    expect(auth0.cache.token).toBeUndefined();
    expect(auth0.navigated).toEqual([]);
    expect(onSignedOut).not.toHaveBeenCalled();
    expect(hub.acked).toHaveLength(1);
  });

  it('leaves it to Auth0 when the hub is away', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    const slo = await open(auth0);
    hub.crash();
    await slo.logout({ logoutParams: { returnTo: 'https://notes.example/bye' } });
    expect(page.location.assign).toHaveBeenCalledExactlyOnceWith('https://acme.eu.auth0.com/v2/logout?returnTo=https://notes.example/bye');
    expect([auth0.calls, auth0.navigated]).toEqual([['logout and go'], []]);
  });

  it('redirect: false stays on the page', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    const slo = await open(auth0);
    await slo.logout({ redirect: false });
    expect(auth0.calls).toEqual(['logout here']);
    expect(page.location.assign).not.toHaveBeenCalled();
  });

  it('is not acknowledged before the app has signed out', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    const slo = await open(auth0);
    auth0.logout = () => Promise.reject(new Error('no'));
    await expect(slo.logout()).rejects.toThrow('no');
    await settle();
    expect(hub.acked).toEqual([]);
  });

  it('works for somebody who is signed out at the hub already', async () => {
    const auth0 = new FakeAuth0({ token: idToken() });
    const slo = await open(auth0);
    hub.signOutElsewhere();
    await settle();
    await slo.logout();
    expect(page.location.assign).toHaveBeenCalledOnce();
  });
});
