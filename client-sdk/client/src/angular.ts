import {
  afterNextRender, computed, DestroyRef, inject, Injector, makeEnvironmentProviders, NgZone, signal,
  type EnvironmentProviders, type ProviderToken, type Signal,
} from '@angular/core';
import { withAuth0, type Auth0Like, type Auth0LogoutOptions, type Auth0SloOptions } from './auth0.js';
import { follow, UNKNOWN, type Followed, type FollowOptions, type SeenTo, type SloView } from './follow.js';
import { defineIdleWarning } from './idle-warning-element.js';
import { THIS_PAGE } from './page.js';
import { defineSignedOutNotice } from './signed-out-element.js';
import type { LogoutSloClient, SignedOutEvent, SloState } from './types.js';

export { SloError, type SloErrorCode } from './errors.js';
export type { Auth0LogoutOptions, Auth0SloOptions } from './auth0.js';
export type { FollowOptions } from './follow.js';
export type * from './types.js';

/** What is used of an Observable, so that this package needs no RxJS. */
export interface Subscribable<T> {
  subscribe(observer: { next(value: T): void; error(cause: unknown): void; complete(): void }): { unsubscribe(): void };
}

/** What is used of auth0-angular's `AuthService`. */
export interface Auth0Service {
  readonly idTokenClaims$: Subscribable<{ readonly __raw: string } | null | undefined>;
  getAccessTokenSilently(options: { cacheMode: 'off' }): Subscribable<unknown>;
  logout(options?: Parameters<Auth0Like['logout']>[0]): Subscribable<unknown>;
}

export interface ProvideSloOptions extends Omit<Auth0SloOptions, SeenTo>, FollowOptions {
  /** The class `AuthService` of auth0-angular: the app's own instance of it is injected. */
  readonly auth0: ProviderToken<Auth0Service>;
}

/**
 * Where this page's session stands, and how to end it. Inject it above everything that is private: it connects when it
 * is first injected, waits until Auth0 has restored its session, and begins anew after each sign-in. `<slo-signed-out>`
 * and `<slo-idle-warning>` are defined by then.
 */
export abstract class Slo {
  abstract readonly state: Signal<SloState>;
  /**
   * Show what is private only while this is true: the hub has answered, or 1.5 s are over, and the session is not
   * known to have ended. It turns false before Auth0's own state does.
   */
  abstract readonly isReady: Signal<boolean>;
  /** Set when the session has ended elsewhere; not by this app's own logout. */
  abstract readonly signedOut: Signal<SignedOutEvent | undefined>;
  /** Idle sign-out is so many seconds away, unless the person does something. */
  abstract readonly idleSecondsLeft: Signal<number | undefined>;
  /** For `<slo-idle-warning>` and `<slo-sessions>`. Undefined at first, and on a server. */
  abstract readonly client: Signal<LogoutSloClient | undefined>;
  /** Signs out everywhere: at the hub, in this app, at Auth0. */
  abstract readonly logout: (options?: Auth0LogoutOptions) => Promise<void>;
}

/**
 * Provides {@link Slo} to an app that signs in with auth0-angular: a standalone app's or a root module's providers,
 * beside `provideAuth0`. The hub is told that this app has signed out when what says so is on the page. On a server
 * it does nothing, and does not ask for `AuthService`.
 */
export function provideSlo(options: ProvideSloOptions): EnvironmentProviders {
  return makeEnvironmentProviders([{ provide: Slo, useFactory: () => create(options) }]);
}

function create(options: ProvideSloOptions): Slo {
  const view = signal(UNKNOWN);
  const followed = THIS_PAGE.document && connect(options, (shown) => view.set(shown));
  return {
    state: computed(() => view().state),
    isReady: computed(() => view().isReady),
    signedOut: computed(() => view().signedOut),
    idleSecondsLeft: computed(() => view().idleSecondsLeft),
    client: computed(() => view().client),
    logout: async (how) => followed?.logout(how),
  };
}

/** In a browser. Sockets and timers stay out of Angular's zone, which would never be stable; the app's own code is in it. */
function connect(options: ProvideSloOptions, show: (view: SloView) => void): Followed<Auth0LogoutOptions> {
  defineSignedOutNotice();
  defineIdleWarning();
  const [zone, injector, destroyed] = [inject(NgZone), inject(Injector), inject(DestroyRef)];
  const service = inject(options.auth0);
  const { onSignedOut, onError } = options;
  const inZone: FollowOptions = {
    ...(onSignedOut && { onSignedOut: (event) => zone.run(() => onSignedOut(event)) }),
    ...(onError && { onError: (error) => zone.run(() => onError(error)) }),
  };
  return zone.runOutsideAngular(() => {
    let idToken: string | undefined;
    const followed = follow({
      make: (seenTo) => withAuth0(asClient(service, zone), { ...options, ...seenTo }),
      idToken: async () => idToken,
      options: () => inZone,
      show,
      painted: () => new Promise<void>((resolve) => {
        destroyed.onDestroy(resolve);
        afterNextRender({ read: () => resolve() }, { injector });
      }),
    });
    const claims = service.idTokenClaims$.subscribe({
      next(now) {
        idToken = now?.__raw;
        void followed.check();
      },
      error: () => {}, // Auth0's to tell.
      complete: () => {},
    });
    destroyed.onDestroy(() => {
      claims.unsubscribe();
      followed.close();
    });
    return followed;
  });
}

function asClient(service: Auth0Service, zone: NgZone): Auth0Like {
  return {
    // Each subscription asks anew, so this is what tabs share now.
    getIdTokenClaims: () => first(service.idTokenClaims$),
    logout: async (how) => void (await zone.run(() => first(service.logout(how)))),
    getAccessTokenSilently: (how) => zone.run(() => first(service.getAccessTokenSilently(how))),
  };
}

/** The first value; undefined where there is none. */
function first<T>(source: Subscribable<T>): Promise<T | undefined> {
  let leave = (): void => {};
  const value = new Promise<T | undefined>((resolve, reject) => {
    const subscription = source.subscribe({ next: resolve, error: reject, complete: () => resolve(undefined) });
    leave = () => subscription.unsubscribe();
  });
  value.then(leave, leave);
  return value;
}
