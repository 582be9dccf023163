// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { createAuth0, useAuth0 } from '@auth0/auth0-vue';
import { createApp, defineComponent, h, type App } from 'vue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleWarning, SignedOutNotice, useSlo, type Slo, type SloError, type UseSloOptions } from '../src/vue.js';
import { Browser } from './browser.js';
import { HUB } from './hub.js';
import { AUTH0 } from './tenant.js';

let browser: Browser;
let app: App;
let slo: Slo;
let auth0: ReturnType<typeof createAuth0>;
/** What was on the page, one after the other. */
let seen: string[];

beforeEach(() => {
  browser = new Browser();
  seen = [];
});
afterEach(() => {
  app.unmount();
  browser.close();
});

const Page = (options: Partial<UseSloOptions>) => defineComponent(() => {
  auth0 = useAuth0();
  slo = useSlo({ auth0, hub: HUB, ...options });
  return () => {
    const { signedOut, isReady } = slo;
    const text = signedOut.value ? `bye: ${signedOut.value.reason}`
      : !isReady.value ? 'one moment'
      : auth0.isAuthenticated.value ? `private: ${auth0.user.value?.sub}` : 'nobody';
    if (seen.at(-1) !== text) seen.push(text);
    return h('p', text);
  };
});

const text = () => document.body.textContent;

function mount(options: Partial<UseSloOptions> = {}, page = Page(options)): void {
  app = createApp(page);
  app.use(createAuth0(AUTH0)).mount(document.body.appendChild(document.createElement('div')));
}

async function open(options: Partial<UseSloOptions> = {}): Promise<void> {
  await browser.signIn();
  mount(options);
  await browser.see(() => slo.state.value === 'connected');
}

/** Signs in without a page load. */
async function signInHere(sub: string): Promise<void> {
  await browser.until(() => auth0.loginWithRedirect({
    authorizationParams: { redirect_uri: location.origin },
    openUrl: async (url: string) => void (await auth0.handleRedirectCallback(browser.tenant.signIn(url, { sub }))),
  }));
}

describe('useSlo', () => {
  it('opens one socket', async () => {
    await open();
    await browser.settle();
    expect(browser.hub.connections).toHaveLength(1);
    expect(browser.hub.presented).toHaveLength(1);
  });

  it('shows nothing private before the hub has answered', async () => {
    await browser.signIn();
    browser.hub.isMute = true;
    mount();
    await browser.see(() => browser.hub.presented.length > 0);
    await browser.settle();
    expect(text()).toBe('one moment');
    await browser.see(() => text() === 'private: ada');
    expect(slo.state.value).toBe('connecting');
  });

  it('a session that is over already shows nothing private at all', async () => {
    await browser.signIn();
    browser.hub.endAtIssuer();
    mount();
    await browser.see(() => browser.hub.acked.length > 0);
    expect(seen).toEqual(['one moment', 'bye: undefined']);
  });

  it('nobody signed in: ready, and no connection', async () => {
    mount();
    await browser.see(() => text() === 'nobody');
    expect([slo.state.value, browser.hub.connections.length]).toEqual(['idle', 0]);
  });

  it('tells of trouble, and signs nobody out', async () => {
    const errors: SloError[] = [];
    await browser.signIn();
    browser.hub.onSubscribe = (_, connection) => (connection.refuse(4503, 'not_allowed', 'aud_not_allowed'), true);
    mount({ onError: (error) => errors.push(error) });
    await browser.see(() => errors.length > 0);
    await browser.settle();
    expect([errors[0]?.code, slo.state.value, text()]).toEqual(['not_allowed', 'closed', 'private: ada']);
  });

  it('lets go of the hub when it is unmounted', async () => {
    await open();
    app.unmount();
    await browser.settle();
    expect(browser.hub.open).toHaveLength(0);
  });

  it('shows how long it is until an idle person is signed out', async () => {
    browser.hub.idleTimeout = 900;
    await open();
    browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    await browser.see(() => slo.idleSecondsLeft.value === 60);
    browser.hub.open[0]!.send({ type: 'idle-cancelled' });
    await browser.see(() => slo.idleSecondsLeft.value === undefined);
  });
});

describe('useSlo and the state of auth0-vue', () => {
  it('signed out elsewhere: signed out there too, not stale, and the page says so before the hub is told', async () => {
    await open();
    const acked: number[] = [];
    new MutationObserver(() => acked.push(browser.hub.acked.length)).observe(document.body, { subtree: true, childList: true });
    const id = browser.hub.signOutElsewhere('s1', { reason: 'You left Shop' });
    await browser.see(() => browser.hub.acked.length > 0);
    expect(text()).toBe('bye: You left Shop');
    expect([auth0.isAuthenticated.value, auth0.user.value, auth0.idTokenClaims.value]).toEqual([false, undefined, undefined]);
    expect(browser.hub.acked).toEqual([id]);
    expect(Math.max(...acked)).toBe(0);
  });

  it('what is private is gone before Auth0 says that nobody is signed in', async () => {
    await open();
    browser.hub.signOutElsewhere('s1');
    await browser.see(() => browser.hub.acked.length > 0);
    expect(seen).toEqual(['one moment', 'private: ada', 'one moment', 'bye: undefined']);
  });

  it('logout: signed out there too, and goes on by way of the hub', async () => {
    await open();
    await browser.until(() => slo.logout({ reason: 'You signed out in Notes' }));
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    expect([auth0.isAuthenticated.value, slo.state.value, slo.signedOut.value]).toEqual([false, 'signed-out', undefined]);
  });

  it('logout without the redirect leaves the app to show what it shows to nobody', async () => {
    await open();
    await browser.until(() => slo.logout({ redirect: false }));
    await browser.settle();
    expect(text()).toBe('nobody');
  });

  it('a sign-in without a page load begins anew', async () => {
    await open();
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    vi.setSystemTime(Date.now() + 60_000);
    await signInHere('ada');
    await browser.see(() => slo.state.value === 'connected');
    await browser.see(() => text() === 'private: ada');
    expect(browser.hub.open).toHaveLength(1);
  });

  it('another account without a page load leaves the first one\'s channel', async () => {
    await open();
    await signInHere('bob');
    await browser.see(() => browser.hub.presented.length === 2);
    await browser.see(() => text() === 'private: bob');
    expect(browser.hub.open).toHaveLength(1);
  });

  it('a refreshed token leaves the channel alone', async () => {
    await open();
    const before = auth0.idTokenClaims.value;
    vi.setSystemTime(Date.now() + 60_000);
    await browser.until(() => auth0.getAccessTokenSilently({ cacheMode: 'off' }));
    await browser.settle();
    expect(auth0.idTokenClaims.value?.__raw).not.toBe(before?.__raw);
    expect(browser.hub.connections).toHaveLength(1);
  });

  it('a tab that wakes up late does not end the new sign-in of another, which shares its storage', async () => {
    const onSignedOut = vi.fn();
    await open({ onSignedOut });
    window.dispatchEvent(new Event('pagehide'));
    browser.hub.signOutElsewhere();
    vi.setSystemTime(Date.now() + 60_000);
    await browser.signIn({ sid: 's1' });
    document.dispatchEvent(new Event('resume'));
    await browser.see(() => browser.hub.acked.length > 0);
    expect(onSignedOut).toHaveBeenCalledOnce();
    expect(Object.keys(localStorage).filter((key) => key.startsWith('@@auth0spajs@@'))).not.toEqual([]);
  });

  it('leaves the error of a sign-in that failed for the app to show', async () => {
    history.replaceState(null, '', '/?error=access_denied&error_description=No&state=gone');
    mount();
    await browser.see(() => slo.state.value === 'idle' && slo.isReady.value);
    await browser.settle();
    expect(auth0.error.value).toBeInstanceOf(Error);
  });

  it('a local logout of Auth0\'s own, beside the hub, lets go of the channel', async () => {
    await open();
    await browser.until(() => auth0.logout({ openUrl: false }));
    await browser.see(() => slo.state.value === 'idle');
    expect(browser.hub.open).toHaveLength(0);
  });
});

describe('SignedOutNotice', () => {
  it('tells why, takes the focus, and holds what can be done next', async () => {
    await browser.signIn();
    mount({}, defineComponent(() => {
      slo = useSlo({ auth0: useAuth0(), hub: HUB });
      return () => h(SignedOutNotice, { event: slo.signedOut.value, heading: 'Abgemeldet', class: 'mine' }, () => h('button', 'Sign in'));
    }));
    await browser.see(() => slo.state.value === 'connected');
    expect(document.querySelector('slo-signed-out')).toBeNull();
    browser.hub.signOutElsewhere('s1', { reason: 'You left Shop' });
    await browser.see(() => browser.hub.acked.length > 0);
    vi.advanceTimersByTime(100);
    const notice = document.querySelector('slo-signed-out')!;
    expect(notice.shadowRoot!.textContent).toMatch(/^AbgemeldetYou left Shop/);
    expect(document.activeElement).toBe(notice);
    expect([notice.className, notice.textContent]).toEqual(['mine', 'Sign in']);
  });
});

describe('IdleWarning', () => {
  it('asks an idle person whether they stay, and signs out everywhere, at Auth0 too', async () => {
    browser.hub.idleTimeout = 900;
    await browser.signIn();
    mount({}, defineComponent(() => {
      slo = useSlo({ auth0: (auth0 = useAuth0()), hub: HUB });
      return () => h(IdleWarning, { client: slo.client.value, class: 'mine', stay: 'Bleiben', signOut: 'Gehen' }, () => h('p', 'Alles ist gesichert.'));
    }));
    await browser.see(() => slo.state.value === 'connected');
    const dialog = document.querySelector('slo-idle-warning')!;
    const press = (label: string) => [...dialog.shadowRoot!.querySelectorAll('button')].filter(({ textContent }) => textContent === label)[0]!.click();
    const warn = async () => {
      browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
      await browser.see(() => dialog.hasAttribute('open'));
    };
    expect([dialog.className, dialog.textContent]).toEqual(['mine', 'Alles ist gesichert.']);
    await warn();
    press('Bleiben');
    expect([browser.hub.activities, dialog.hasAttribute('open')]).toEqual([1, false]);
    await warn();
    press('Gehen');
    await browser.see(() => browser.navigated.length > 0);
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    expect(auth0.isAuthenticated.value).toBe(false);
  });
});
