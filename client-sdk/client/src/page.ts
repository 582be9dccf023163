/** The parts of a window that the SDK touches. Tests open several pages at once. */
export type Page = Pick<
  Window & typeof globalThis,
  'addEventListener' | 'document' | 'location' | 'localStorage' | 'BroadcastChannel' | 'WebSocket' | 'fetch' | 'reportError'
>;

/** This script's own page. On a server and in a worker it has no `document`, and nobody looks. */
export const THIS_PAGE = globalThis as unknown as Page;

/** What befalls a page. */
export interface PageWatcher {
  /** Somebody follows a link on it, or sends a form. It stays until the answer comes. */
  goes(): unknown;
  /** It goes, perhaps into the back/forward cache, where it may lie for a long time. */
  leaves(): void;
  /** It is frozen with all it shows, cached or not. */
  freezes(): void;
  /** It was away: cached, frozen, or the machine slept. What it believes of its session may be long out of date. */
  returns(): void;
  /** The network is back: a socket that looks open may have no other end. */
  online(): void;
  /** Somebody looks at it. */
  shows(): void;
}

const TICK_MS = 20_000;
/** More than browsers slow down the timers of a hidden page (once a minute). */
const JUMP_MS = 90_000;

/** Watches a page until the signal is aborted. */
export function watchPage(page: Page, signal: AbortSignal, watcher: PageWatcher): void {
  const { document } = page;
  let last = Date.now();
  const jumped = () => {
    const before = last;
    last = Date.now();
    return last - before > JUMP_MS;
  };
  const returns = () => {
    jumped();
    watcher.returns();
  };
  const ticks = setInterval(() => jumped() && returns(), TICK_MS);
  signal.addEventListener('abort', () => clearInterval(ticks));

  const on = (target: Pick<EventTarget, 'addEventListener'>, type: string, listener: (event: Event) => void) =>
    target.addEventListener(type, listener, { signal });
  on(page, 'beforeunload', watcher.goes);
  on(page, 'pagehide', watcher.leaves);
  on(page, 'pageshow', (event) => (event as PageTransitionEvent).persisted && returns());
  on(page, 'online', watcher.online);
  on(document, 'freeze', watcher.freezes);
  on(document, 'resume', returns);
  on(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') (jumped() ? returns : watcher.shows)();
  });
}

/** Calls back whenever the person does something, until the signal is aborted. */
export function watchActivity(page: Page, signal: AbortSignal, noticed: () => void): void {
  for (const type of ['pointerdown', 'pointermove', 'keydown']) {
    page.addEventListener(type, noticed, { signal, capture: true });
  }
}
