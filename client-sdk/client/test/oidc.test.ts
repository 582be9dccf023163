// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { OidcClient, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withOidc, type OidcSloClient, type OidcSloOptions } from '../src/oidc.js';
import { Browser } from './browser.js';
import { HUB, ISSUER } from './hub.js';
import { CLIENT_ID } from './tenant.js';

let browser: Browser;
let users: UserManager;
let slo: OidcSloClient;
/** What the app's own listeners heard. */
let heard: string[];

beforeEach(() => {
  browser = new Browser();
  heard = [];
  users = manager();
  users.events.addUserLoaded(() => void heard.push('loaded'));
  users.events.addUserUnloaded(() => void heard.push('unloaded'));
});
afterEach(() => {
  slo.stop();
  browser.close();
});

const settings = () => ({
  authority: ISSUER,
  client_id: CLIENT_ID,
  redirect_uri: 'https://notes.example/',
  scope: 'openid offline_access',
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: localStorage }),
  stateStore: new WebStorageStateStore({ store: localStorage }),
  metadata: {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}authorize`,
    token_endpoint: `${ISSUER}oauth/token`,
    end_session_endpoint: `${ISSUER}oidc/logout`,
  },
});

const manager = () => new UserManager(settings());

/** Signs in, on the page that the provider returns to. */
async function signIn(at = users, sub = 'ada', nonce: string = crypto.randomUUID()): Promise<void> {
  const { url } = await new OidcClient(settings()).createSigninRequest({ nonce });
  await browser.until(() => at.signinRedirectCallback(browser.tenant.signIn(url, { sub })));
}

async function open(options: Partial<OidcSloOptions> = {}, at = users): Promise<OidcSloClient> {
  slo = withOidc(at, { hub: HUB, ...options });
  await browser.until(() => slo.ready);
  return slo;
}

async function openSignedIn(options: Partial<OidcSloOptions> = {}): Promise<OidcSloClient> {
  await signIn();
  heard = [];
  return open(options);
}

describe('withOidc', () => {
  it('presents the ID token that the manager has, once', async () => {
    await openSignedIn();
    await browser.settle();
    expect(slo.state).toBe('connected');
    expect(browser.hub.presented).toEqual([(await users.getUser())?.id_token]);
  });

  it('is idle when nobody is signed in', async () => {
    await open();
    expect([await slo.ready, browser.hub.connections.length]).toEqual(['idle', 0]);
  });

  it('signed out elsewhere: the user is gone before the handler paints, and the app\'s own listeners hear of it', async () => {
    await openSignedIn({ onSignedOut: async () => void heard.push(`paint, user: ${await users.getUser()}, acked: ${browser.hub.acked.length}`) });
    const id = browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    expect(heard).toEqual(['unloaded', 'paint, user: null, acked: 0']);
    expect(browser.hub.acked).toEqual([id]);
    expect(slo.state).toBe('signed-out');
  });

  it('renews silently only when the hub says that the token has expired', async () => {
    await signIn();
    const { hub, tenant } = browser;
    const expired = (await users.getUser())!.id_token;
    hub.onSubscribe = (credential, connection) => {
      if (credential !== expired) return false;
      connection.refuse(4003, 'token_expired', 'token_expired');
      return true;
    };
    vi.setSystemTime(Date.now() + 3_600_000);
    await open();
    expect(tenant.grants).toEqual(['authorization_code', 'refresh_token']);
    expect(slo.state).toBe('connected');
    await browser.settle();
    expect(hub.open).toHaveLength(1);
  });

  it('a renewal that fails signs nobody out', async () => {
    await signIn();
    browser.tenant.isOver = true;
    browser.hub.onSubscribe = (_, connection) => (connection.refuse(4003, 'token_expired', 'token_expired'), true);
    const errors: string[] = [];
    slo = withOidc(users, { hub: HUB });
    slo.on('error', ({ code }) => errors.push(code));
    await browser.see(() => errors.length > 0);
    expect(errors).toEqual(['token_failed']);
    expect([slo.state, !!(await users.getUser())]).toEqual(['waiting', true]);
  });

  it('a sign-in without a page load begins', async () => {
    await open();
    await signIn();
    await browser.see(() => slo.state === 'connected');
  });

  it('and anew after a sign-out', async () => {
    await openSignedIn();
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    vi.setSystemTime(Date.now() + 60_000);
    await signIn();
    await browser.see(() => slo.state === 'connected');
  });

  it('another person without a page load leaves the first one\'s channel', async () => {
    await openSignedIn();
    await signIn(users, 'bob');
    await browser.see(() => browser.hub.presented.length === 2);
    expect(browser.hub.presented[1]).toBe((await users.getUser())?.id_token);
    expect(browser.hub.open).toHaveLength(1);
  });

  it('a user removed beside the hub lets go of the channel', async () => {
    await openSignedIn();
    await users.removeUser();
    await browser.see(() => slo.state === 'idle');
    expect(browser.hub.open).toHaveLength(0);
  });

  it('stays stopped when the app has stopped it, and waits for start where the app says so', async () => {
    await openSignedIn();
    slo.stop();
    await signIn(users, 'bob');
    await browser.settle();
    expect(slo.state).toBe('closed');
    await open({ autoStart: false });
    await signIn(users, 'ada');
    await browser.settle();
    expect(slo.state).toBe('idle');
  });

  it('a tab that wakes up late does not end the new sign-in of another, which shares its storage', async () => {
    const onSignedOut = vi.fn();
    await openSignedIn({ onSignedOut });
    window.dispatchEvent(new Event('pagehide'));
    browser.hub.signOutElsewhere();
    vi.setSystemTime(Date.now() + 60_000);
    await signIn(manager());
    const newer = (await users.getUser())!.id_token;
    document.dispatchEvent(new Event('resume'));
    await browser.see(() => browser.hub.acked.length > 0);
    expect(onSignedOut).toHaveBeenCalledOnce();
    expect((await users.getUser())?.id_token).toBe(newer);
  });
});

describe('logout', () => {
  it('tells the hub, removes the user, and goes on by way of the hub', async () => {
    await openSignedIn();
    await browser.until(() => slo.logout({ reason: 'You signed out in Notes' }));
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    expect(heard).toEqual(['unloaded']);
  });

  it('leaves it to the provider when the hub is away', async () => {
    await openSignedIn();
    const token = (await users.getUser())!.id_token!;
    browser.hub.crash();
    void slo.logout({ signoutArgs: { post_logout_redirect_uri: 'https://notes.example/bye' } });
    await browser.see(() => browser.navigated.length > 0);
    const { pathname, searchParams } = new URL(browser.navigated[0]!);
    expect([pathname, searchParams.get('id_token_hint'), searchParams.get('post_logout_redirect_uri')])
      .toEqual(['/oidc/logout', token, 'https://notes.example/bye']);
    expect(await users.getUser()).toBeNull();
  });

  it('redirect: false stays on the page', async () => {
    await openSignedIn();
    await browser.until(() => slo.logout({ redirect: false }));
    expect([browser.navigated, heard]).toEqual([[], ['unloaded']]);
  });

  it('rejects when the provider has no way to sign out, and the person is signed out here', async () => {
    const { end_session_endpoint: _, ...metadata } = settings().metadata;
    users = new UserManager({ ...settings(), metadata });
    // Which oidc-client-ts calls then, and this DOM has not.
    vi.stubGlobal('stop', () => {});
    await openSignedIn();
    browser.hub.crash();
    await expect(browser.until(() => slo.logout())).rejects.toThrow('end session endpoint');
    expect(await users.getUser()).toBeNull();
  });
});

