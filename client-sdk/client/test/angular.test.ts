// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import '@angular/compiler'; // Just in time: what an app's build does ahead of time.
import { AsyncPipe } from '@angular/common';
import { Component, CUSTOM_ELEMENTS_SCHEMA, inject, type ApplicationRef } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { AuthService, provideAuth0, type User } from '@auth0/auth0-angular';
import { throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { provideSlo, Slo, type ProvideSloOptions, type SloError } from '../src/angular.js';
import { Browser } from './browser.js';
import { HUB } from './hub.js';
import { AUTH0 } from './tenant.js';

let browser: Browser;
let app: ApplicationRef;
let slo: Slo;
let auth0: AuthService;
/** What AuthService last said, to somebody who listens all the time. */
let said: { isAuthenticated?: boolean; user?: User | null | undefined };

beforeEach(() => {
  browser = new Browser();
  said = {};
  vi.spyOn(console, 'log').mockImplementation(() => {}); // That it runs in development mode.
});
afterEach(() => {
  if (!app.destroyed) app.destroy();
  browser.close();
});

class Page {
  readonly slo = (slo = inject(Slo));
  readonly auth0 = (auth0 = inject(AuthService));

  constructor() {
    this.auth0.isAuthenticated$.subscribe((isAuthenticated) => void (said.isAuthenticated = isAuthenticated));
    this.auth0.user$.subscribe((user) => void (said.user = user));
  }
}
Component({
  selector: 'app-root',
  imports: [AsyncPipe],
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    @if (slo.signedOut(); as event) { <slo-signed-out [event]="event"><button>Sign in</button></slo-signed-out> }
    @else if (!slo.isReady()) { one moment }
    @else { @if (auth0.user$ | async; as user) { private: {{ user.sub }} } @else { nobody } }`,
})(Page);

const text = () => document.body.textContent!.trim();
const notice = () => document.querySelector('slo-signed-out');

async function mount(options: Partial<ProvideSloOptions> = {}): Promise<void> {
  document.body.append(document.createElement('app-root'));
  const providers = [provideAuth0({ ...AUTH0 }), provideSlo({ auth0: AuthService, hub: HUB, ...options })];
  app = await browser.until(() => bootstrapApplication(Page, { providers }));
}

async function open(options: Partial<ProvideSloOptions> = {}): Promise<void> {
  await browser.signIn();
  await mount(options);
  await browser.see(() => slo.state() === 'connected' && text().startsWith('private'));
}

/** Signs in without a page load. */
async function signInHere(sub: string): Promise<void> {
  const handled = new Promise<void>((resolve, reject) => {
    auth0.loginWithRedirect({
      authorizationParams: { redirect_uri: location.origin },
      openUrl: (url) => void auth0.handleRedirectCallback(browser.tenant.signIn(url, { sub })).subscribe({ next: () => resolve(), error: reject }),
    });
  });
  await browser.until(() => handled);
}

describe('provideSlo', () => {
  it('opens one socket, however often it is injected', async () => {
    await open();
    expect(app.injector.get(Slo)).toBe(slo);
    await browser.settle();
    expect(browser.hub.connections).toHaveLength(1);
    expect(browser.hub.presented).toHaveLength(1);
  });

  it('shows nothing private before the hub has answered', async () => {
    await browser.signIn();
    browser.hub.isMute = true;
    await mount();
    await browser.see(() => browser.hub.presented.length > 0);
    await browser.settle();
    expect(text()).toBe('one moment');
    await browser.see(() => text() === 'private: ada');
    expect(slo.state()).toBe('connecting');
  });

  it('nobody signed in: ready, and no connection', async () => {
    await mount();
    await browser.see(() => text() === 'nobody');
    expect([slo.state(), browser.hub.connections.length]).toEqual(['idle', 0]);
  });

  it('tells of trouble, and signs nobody out', async () => {
    const errors: SloError[] = [];
    await browser.signIn();
    browser.hub.onSubscribe = (_, connection) => (connection.refuse(4503, 'not_allowed', 'aud_not_allowed'), true);
    await mount({ onError: (error) => errors.push(error) });
    await browser.see(() => text() === 'private: ada');
    expect([errors.map(({ code }) => code), slo.state()]).toEqual([['not_allowed'], 'closed']);
  });

  it('lets go of the hub with the app', async () => {
    await open();
    app.destroy();
    await browser.settle();
    expect(browser.hub.open).toHaveLength(0);
  });

  it('has a client for <slo-idle-warning>, which is defined', async () => {
    browser.hub.idleTimeout = 900;
    await open();
    const dialog = document.body.appendChild(document.createElement('slo-idle-warning'));
    dialog.client = slo.client();
    browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    await browser.see(() => dialog.hasAttribute('open'));
    dialog.shadowRoot!.querySelector<HTMLElement>('[part=sign-out]')!.click();
    await browser.see(() => browser.navigated.length > 0);
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
  });

  it('shows how long it is until an idle person is signed out', async () => {
    browser.hub.idleTimeout = 900;
    await open();
    browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    await browser.see(() => slo.idleSecondsLeft() === 60);
    browser.hub.open[0]!.send({ type: 'idle-cancelled' });
    await browser.see(() => slo.idleSecondsLeft() === undefined);
  });
});

describe('provideSlo and the state of auth0-angular', () => {
  it('signed out elsewhere: signed out there too, not stale, and the notice is there before the hub is told', async () => {
    const onSignedOut = vi.fn();
    await open({ onSignedOut });
    expect(said).toMatchObject({ isAuthenticated: true, user: { sub: 'ada' } });
    const acked: number[] = [];
    document.addEventListener('focusin', () => acked.push(browser.hub.acked.length));
    const id = browser.hub.signOutElsewhere('s1', { reason: 'You left Shop' });
    await browser.see(() => browser.hub.acked.length > 0);
    expect([browser.hub.acked, acked]).toEqual([[id], [0]]);
    expect(said).toEqual({ isAuthenticated: false, user: null });
    expect(onSignedOut).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(100);
    expect(notice()!.shadowRoot!.textContent).toContain('You left Shop');
    expect(notice()!.textContent).toBe('Sign in');
  });

  it('logout: its Observable is waited for, and the page goes on by way of the hub', async () => {
    await open();
    await browser.until(() => slo.logout({ reason: 'You signed out in Notes' }));
    expect(browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    await browser.settle();
    expect(said).toEqual({ isAuthenticated: false, user: null });
    expect([slo.state(), slo.signedOut()]).toEqual(['signed-out', undefined]);
  });

  it('logout while the hub is away is Auth0\'s own', async () => {
    await open();
    browser.hub.crash();
    await browser.until(() => slo.logout({ logoutParams: { returnTo: 'https://notes.example/bye' } }));
    expect(browser.navigated).toEqual([expect.stringMatching(/^https:\/\/acme\.eu\.auth0\.com\/v2\/logout\?.*returnTo=/)]);
  });

  it('logout without the redirect leaves the app to show what it shows to nobody', async () => {
    await open();
    await browser.until(() => slo.logout({ redirect: false }));
    await browser.see(() => text() === 'nobody');
  });

  it('a logout that Auth0 refuses is told, and not acknowledged', async () => {
    await open();
    vi.spyOn(auth0, 'logout').mockReturnValue(throwError(() => new Error('no')));
    await expect(browser.until(() => slo.logout())).rejects.toThrow('no');
    await browser.settle();
    expect(browser.hub.acked).toEqual([]);
  });

  it('a sign-in without a page load begins anew', async () => {
    await open();
    browser.hub.signOutElsewhere();
    await browser.see(() => browser.hub.acked.length > 0);
    vi.setSystemTime(Date.now() + 60_000);
    await signInHere('ada');
    await browser.see(() => slo.state() === 'connected' && text() === 'private: ada');
    expect(browser.hub.open).toHaveLength(1);
  });

  it('another account without a page load leaves the first one\'s channel', async () => {
    await open();
    await signInHere('bob');
    await browser.see(() => browser.hub.presented.length === 2 && text() === 'private: bob');
    expect(browser.hub.open).toHaveLength(1);
  });

  it('a refreshed token leaves the channel alone', async () => {
    await open();
    vi.setSystemTime(Date.now() + 60_000);
    await browser.until(() => new Promise((resolve) => auth0.getAccessTokenSilently({ cacheMode: 'off' }).subscribe(resolve)));
    await browser.settle();
    expect(browser.tenant.grants).toContain('refresh_token');
    expect(browser.hub.connections).toHaveLength(1);
  });

  it('refreshes when the hub says that the token has expired', async () => {
    await browser.signIn();
    let isFirst = true;
    browser.hub.onSubscribe = (_, connection) => {
      if (!isFirst) return false;
      isFirst = false;
      connection.refuse(4003, 'token_expired', 'token_expired');
      return true;
    };
    await mount();
    await browser.see(() => slo.state() === 'connected');
    expect(browser.tenant.grants).toEqual(['authorization_code', 'refresh_token']);
  });

  it('a tab that wakes up late does not end the new sign-in of another, which shares its storage', async () => {
    await open();
    window.dispatchEvent(new Event('pagehide'));
    browser.hub.signOutElsewhere();
    vi.setSystemTime(Date.now() + 60_000);
    await browser.signIn();
    document.dispatchEvent(new Event('resume'));
    await browser.see(() => browser.hub.acked.length > 0);
    expect(Object.keys(localStorage).filter((key) => key.startsWith('@@auth0spajs@@'))).not.toEqual([]);
  });
});
