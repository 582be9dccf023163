// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { Auth0Provider, useAuth0, withAuthenticationRequired } from '@auth0/auth0-react';
import { act, createElement as h, StrictMode, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleWarning, SignedOutNotice, useSlo, type SignedOutNoticeProps, type Slo, type SloError, type UseSloOptions } from '../src/react.js';
import { Browser } from './browser.js';
import { HUB } from './hub.js';
import { AUTH0 } from './tenant.js';

let browser: Browser;
let root: Root;
let slo: Slo;
let auth0: ReturnType<typeof useAuth0>;
/** What was on the page, one after the other. */
let seen: string[];

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  browser = new Browser();
  browser.around = act;
  seen = [];
  root = createRoot(document.body.appendChild(document.createElement('div')));
});
afterEach(async () => {
  await act(async () => root.unmount());
  browser.close();
});

function App({ options }: { options: Partial<UseSloOptions> }): ReactElement {
  auth0 = useAuth0();
  slo = useSlo({ auth0, hub: HUB, ...options });
  const text = slo.signedOut ? `bye: ${slo.signedOut.reason}`
    : !slo.isReady ? 'one moment'
    : auth0.isAuthenticated ? `private: ${auth0.user?.sub}` : 'nobody';
  if (seen.at(-1) !== text) seen.push(text);
  return h('p', null, text);
}

const text = () => document.body.textContent;
const app = (options: Partial<UseSloOptions> = {}) =>
  h(StrictMode, null, h(Auth0Provider, { ...AUTH0, children: h(App, { options }) }));
const render = (what: ReactElement) => act(async () => root.render(what));

async function open(options: Partial<UseSloOptions> = {}): Promise<void> {
  await browser.signIn();
  await render(app(options));
  await browser.see(() => slo.state === 'connected');
}

/** Signs in without a page load. */
async function signInHere(sub: string): Promise<void> {
  await browser.until(() => auth0.loginWithRedirect({
    authorizationParams: { redirect_uri: location.origin },
    openUrl: async (url) => void (await auth0.handleRedirectCallback(browser.tenant.signIn(url, { sub }))),
  }));
}

describe('useSlo', () => {
  it('opens one socket under StrictMode', async () => {
    await open();
    await browser.settle();
    expect(browser.hub.connections).toHaveLength(1);
    expect(browser.hub.presented).toHaveLength(1);
  });

  it('shows nothing private before the hub has answered', async () => {
    await browser.signIn();
    browser.hub.isMute = true;
    await render(app());
    await browser.see(() => browser.hub.presented.length > 0);
    expect(text()).toBe('one moment');
    await browser.see(() => text() === 'private: ada');
    expect(slo.state).toBe('connecting');
  });

  it('a session that is over already shows nothing private at all', async () => {
    await browser.signIn();
    browser.hub.endAtIssuer();
    await render(app());
    await browser.see(() => browser.hub.acked.length > 0);
    expect(seen).toEqual(['one moment', 'bye: undefined']);
  });

  it('nobody signed in: ready, and no connection', async () => {
    await render(app());
    await browser.see(() => text() === 'nobody');
    expect([slo.state, browser.hub.connections.length]).toEqual(['idle', 0]);
  });

  it('says that it has signed out when the page says so, not before', async () => {
    await open();
    const acked: number[] = [];
    new MutationObserver(() => acked.push(browser.hub.acked.length)).observe(document.body, { subtree: true, characterData: true });
    browser.hub.signOutElsewhere('s1', { reason: 'You left Shop' });
    await browser.see(() => browser.hub.acked.length > 0);
    expect(text()).toBe('bye: You left Shop');
    expect(acked[0]).toBe(0);
  });

  it('a component that goes away with the session is acknowledged all the same', async () => {
    const Private = () => h(App, { options: {} });
    const Gate = () => (useAuth0().isAuthenticated ? h(Private) : h('p', null, 'sign in'));
    await browser.signIn();
    await render(h(StrictMode, null, h(Auth0Provider, { ...AUTH0, children: h(Gate) })));
    await browser.see(() => slo?.state === 'connected');
    const id = browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    expect([text(), browser.hub.acked]).toEqual(['sign in', [id]]);
  });

  it('calls the newest functions that it was given', async () => {
    const [older, newer] = [vi.fn(), vi.fn()];
    await open({ onSignedOut: older });
    await render(app({ onSignedOut: newer }));
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    expect([older.mock.calls.length, newer.mock.calls.length]).toEqual([0, 1]);
    expect(browser.hub.connections).toHaveLength(1);
  });

  it('tells of trouble, and signs nobody out', async () => {
    const errors: SloError[] = [];
    await browser.signIn();
    browser.hub.onSubscribe = (_, connection) => (connection.refuse(4503, 'not_allowed', 'aud_not_allowed'), true);
    await render(app({ onError: (error) => errors.push(error) }));
    await browser.see(() => errors.length > 0);
    expect([errors[0]?.code, slo.state, text()]).toEqual(['not_allowed', 'closed', 'private: ada']);
  });

  it('lets go of the hub when it is unmounted', async () => {
    await open();
    await render(h('p'));
    await browser.settle();
    expect(browser.hub.open).toHaveLength(0);
  });

  it('connects anew to another hub', async () => {
    await open();
    await render(app({ hub: 'https://other.example' }));
    await browser.see(() => browser.hub.connections.length === 2);
    expect(browser.hub.open).toHaveLength(1);
  });

  it('shows how long it is until an idle person is signed out', async () => {
    browser.hub.idleTimeout = 900;
    await open();
    browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    await browser.see(() => slo.idleSecondsLeft === 60);
    browser.hub.open[0]!.send({ type: 'idle-cancelled' });
    await browser.see(() => slo.idleSecondsLeft === undefined);
  });
});

describe('useSlo and the state of auth0-react', () => {
  it('signed out elsewhere: signed out there too, not stale', async () => {
    await open();
    const id = browser.hub.signOutElsewhere('s1');
    await browser.see(() => browser.hub.acked.length > 0);
    expect([auth0.isAuthenticated, auth0.user]).toEqual([false, undefined]);
    expect(browser.hub.acked).toEqual([id]);
  });

  it('what requires a sign-in takes nobody to the login page instead of the notice', async () => {
    const Private = withAuthenticationRequired(() => h('p', null, 'private'), { onBeforeAuthentication: async () => void sent.push('login') });
    const sent: string[] = [];
    const Gate = () => {
      slo = useSlo({ auth0: useAuth0(), hub: HUB });
      return slo.signedOut ? h('h1', null, 'bye') : slo.isReady ? h(Private) : null;
    };
    await browser.signIn();
    await render(h(StrictMode, null, h(Auth0Provider, { ...AUTH0, children: h(Gate) })));
    await browser.see(() => text() === 'private');
    browser.hub.signOutElsewhere();
    await browser.see(() => text() === 'bye');
    await browser.until(() => slo.logout());
    await browser.settle();
    expect(sent).toEqual([]);
  });

  it('logout without the redirect leaves the app to show what it shows to nobody', async () => {
    await open();
    await browser.until(() => slo.logout({ redirect: false }));
    await browser.settle();
    expect(seen).toEqual(['one moment', 'private: ada', 'one moment', 'nobody']);
    expect(browser.navigated).toEqual([]);
  });

  it('logout: signed out there too, and goes on by way of the hub', async () => {
    await open();
    await browser.until(() => slo.logout({ reason: 'You signed out in Notes' }));
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    expect([auth0.isAuthenticated, slo.state, slo.signedOut]).toEqual([false, 'signed-out', undefined]);
  });

  it('a page that the Back button brings back after its logout shows what it shows to nobody', async () => {
    await open();
    await browser.until(() => slo.logout());
    await browser.settle();
    expect(text()).toBe('one moment');
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await browser.see(() => text() === 'nobody');
  });

  it('logout while the hub is away is Auth0\'s own', async () => {
    await open();
    browser.hub.crash();
    await browser.until(() => slo.logout({ logoutParams: { returnTo: 'https://notes.example/bye' } }));
    expect(browser.navigated).toEqual([expect.stringMatching(/^https:\/\/acme\.eu\.auth0\.com\/v2\/logout\?.*returnTo=/)]);
  });

  it('a page that the Back button brings back after a logout without the hub shows what it shows to nobody', async () => {
    await open();
    browser.hub.crash();
    await browser.until(() => slo.logout());
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await browser.see(() => text() === 'nobody');
    expect(seen.slice(2)).toEqual(['one moment', 'nobody']);
  });

  it('a sign-in without a page load begins anew', async () => {
    await open();
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    vi.setSystemTime(Date.now() + 60_000);
    await signInHere('ada');
    await browser.see(() => slo.state === 'connected');
    expect(text()).toBe('private: ada');
    expect(browser.hub.open).toHaveLength(1);
  });

  it('another account without a page load leaves the first one\'s channel', async () => {
    await open();
    await signInHere('bob');
    await browser.see(() => text() === 'private: bob');
    await browser.see(() => browser.hub.presented.length === 2);
    expect(browser.hub.open).toHaveLength(1);
  });

  it('a refreshed token leaves the channel alone', async () => {
    await open();
    const { user } = auth0;
    await browser.until(() => auth0.getAccessTokenSilently({ cacheMode: 'off' }));
    await browser.see(() => auth0.user !== user);
    await browser.settle();
    expect(browser.hub.connections).toHaveLength(1);
  });

  it('a local logout of Auth0\'s own, beside the hub, lets go of the channel', async () => {
    await open();
    await browser.until(() => auth0.logout({ openUrl: false }));
    await browser.see(() => slo.state === 'idle');
    expect(browser.hub.open).toHaveLength(0);
    expect(slo.signedOut).toBeUndefined();
  });

  it('a refresh that fails signs nobody out', async () => {
    await open({ onError: () => {} });
    browser.tenant.isOver = true;
    browser.hub.onSubscribe = (_, connection) => (connection.refuse(4003, 'token_expired', 'token_expired'), true);
    browser.hub.crash();
    browser.hub.isDown = false;
    vi.setSystemTime(Date.now() + 60_000);
    await browser.see(() => browser.tenant.grants.length > 1);
    await browser.settle();
    expect(slo.signedOut).toBeUndefined();
    expect(slo.state).not.toBe('signed-out');
  });
});

describe('SignedOutNotice', () => {
  const event = { id: '1', issuer: 'i', scope: 'session', source: 'app', reason: 'You left Shop', occurredAt: '2025-11-21T08:00:00Z' } as const;
  const notice = () => document.querySelector('slo-signed-out');
  const part = (name: string) => notice()!.shadowRoot!.querySelector(`[part=${name}]`)!;
  const show = (props: SignedOutNoticeProps) => render(h(StrictMode, null, h(SignedOutNotice, props)));

  it('renders nothing without an event', async () => {
    await show({ event: undefined });
    expect(notice()).toBeNull();
  });

  it('tells why, takes the focus, and holds what can be done next', async () => {
    const signIn = vi.fn();
    await show({ event, className: 'mine', style: { margin: '1px' }, children: h('button', { onClick: signIn }, 'Sign in') });
    vi.advanceTimersByTime(100);
    expect(part('message').textContent).toBe('You left Shop');
    expect(notice()!.shadowRoot!.activeElement).toBe(part('heading'));
    expect([notice()!.className, notice()!.style.margin]).toEqual(['mine', '1px']);
    notice()!.querySelector('button')!.click();
    expect(signIn).toHaveBeenCalledOnce();
  });

  it('takes a text for one source', async () => {
    const { reason: _, ...silent } = event;
    await show({ event: { ...silent, source: 'session_api' }, message: 'Bis bald.', messages: { session_api: 'Anderswo abgemeldet.' } });
    vi.advanceTimersByTime(100);
    expect(part('message').textContent).toBe('Anderswo abgemeldet.');
  });

  it('takes texts, and another event', async () => {
    const { reason: _, ...silent } = event;
    await show({ event: silent, heading: 'Abgemeldet', message: 'Bis bald.' });
    vi.advanceTimersByTime(100);
    expect([part('heading').textContent, part('message').textContent]).toEqual(['Abgemeldet', 'Bis bald.']);
    await show({ event: { ...event, id: '2', reason: 'Another' } });
    vi.advanceTimersByTime(100);
    expect([part('heading').textContent, part('message').textContent]).toEqual(['You are signed out', 'Another']);
  });

  it('is on the page, and has the focus, before the hub is told that this app has signed out', async () => {
    const Gate = () => {
      slo = useSlo({ auth0: useAuth0(), hub: HUB });
      return h('main', null, h(SignedOutNotice, { event: slo.signedOut }));
    };
    const acked: number[] = [];
    await browser.signIn();
    await render(h(StrictMode, null, h(Auth0Provider, { ...AUTH0, children: h(Gate) })));
    await browser.see(() => slo.state === 'connected');
    document.addEventListener('focusin', () => acked.push(browser.hub.acked.length));
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    expect(acked).toEqual([0]);
    expect(document.activeElement).toBe(notice());
  });
});

describe('IdleWarning', () => {
  const Gate = () => {
    slo = useSlo({ auth0: (auth0 = useAuth0()), hub: HUB });
    return h('main', null, slo.state, h(IdleWarning, { client: slo.client, className: 'mine', stay: 'Bleiben', signOut: 'Gehen' }));
  };
  const dialog = () => document.querySelector('slo-idle-warning')!;
  const press = (label: string) => {
    [...dialog().shadowRoot!.querySelectorAll('button')].filter(({ textContent }) => textContent === label)[0]!.click();
  };

  beforeEach(async () => {
    browser.hub.idleTimeout = 900;
    await browser.signIn();
    await render(h(StrictMode, null, h(Auth0Provider, { ...AUTH0, children: h(Gate) })));
    await browser.see(() => slo.state === 'connected');
    browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    await browser.see(() => dialog().hasAttribute('open'));
  });

  it('asks an idle person whether they stay, and reports that they do', async () => {
    expect(dialog().className).toBe('mine');
    press('Bleiben');
    expect([browser.hub.activities, dialog().hasAttribute('open')]).toEqual([1, false]);
  });

  it('signs out everywhere, at Auth0 too, as the app\'s own button does', async () => {
    press('Gehen');
    await browser.see(() => browser.navigated.length > 0);
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    expect([slo.state, slo.isReady, auth0.isAuthenticated]).toEqual(['signed-out', false, false]);
  });

  it('a client that is given no more warns no more', async () => {
    await act(async () => root.render(h(IdleWarning, { client: undefined })));
    expect(dialog().hasAttribute('open')).toBe(false);
  });
});
