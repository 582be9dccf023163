import { Auth0Client } from '@auth0/auth0-spa-js';
import { vi } from 'vitest';
import { FakeHub, type Claims } from './hub.js';
import { AUTH0, FakeTenant, signInByRedirect } from './tenant.js';

/** A window of this test's DOM, with a hub and a tenant at the other end of its network. */
export class Browser {
  readonly hub = new FakeHub();
  readonly tenant = new FakeTenant();
  readonly navigated: string[] = [];
  /** Answers what the app asks of its own origin. */
  backEnd: ((request: Request) => Response) | undefined;
  /** Answers what a library asks of the provider before it signs in. */
  provider: (() => Response) | undefined;
  /** What a framework wants done around everything that may change its page. */
  around: (turn: () => Promise<void>) => Promise<void> = (turn) => turn();

  constructor() {
    const { fetch, WebSocket } = this.hub.network();
    vi.stubGlobal('WebSocket', WebSocket);
    vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
      const { href, origin, pathname } = new URL(url, location.href);
      if (pathname === '/oauth/token') return this.tenant.token(new Request(href, init));
      if (pathname === '/.well-known/openid-configuration' && this.provider) return this.provider();
      return origin === location.origin && this.backEnd ? this.backEnd(new Request(href, init)) : fetch(href, init);
    });
    vi.stubGlobal('BroadcastChannel', class {
      postMessage(): void {}
      close(): void {}
    });
    vi.spyOn(location, 'assign').mockImplementation((url) => void this.navigated.push(String(url)));
  }

  /** Somebody signed in with Auth0 on an earlier page. */
  async signIn(claims: Partial<Claims> = {}): Promise<void> {
    await this.until(() => signInByRedirect(new Auth0Client(AUTH0), this.tenant, claims));
  }

  /** Begins something, and lets time pass until it settles. */
  async until<T>(begin: () => Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = () => void (isSettled = true);
    let promise!: Promise<T>;
    await this.around(async () => {
      promise = begin();
      promise.then(settled, settled);
    });
    for (let turn = 0; !isSettled && turn < 2_000; turn++) await this.around(turnAround);
    return promise;
  }

  /** Lets time pass until something is so. */
  async see(isSo: () => boolean): Promise<void> {
    for (let turn = 0; !isSo(); turn++) {
      if (turn > 2_000) throw new Error(`never: ${isSo.toString()}\n${document.body.innerHTML}`);
      await this.around(turnAround);
    }
  }

  /** Lets happen what can. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.around(turnAround);
  }

  /** Forgets the person and all pages. */
  close(): void {
    localStorage.clear();
    sessionStorage.clear();
    for (const cookie of document.cookie.split('; ')) document.cookie = `${cookie.split('=')[0]}=; max-age=0; path=/`;
    document.body.replaceChildren();
    history.replaceState(null, '', '/');
    vi.unstubAllGlobals();
  }
}

/** Lets everything happen that waits for a little real or pretended time. */
async function turnAround(): Promise<void> {
  await vi.advanceTimersByTimeAsync(5);
  await new Promise((resolve) => setImmediate(resolve));
}
