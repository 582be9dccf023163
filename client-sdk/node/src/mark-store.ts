/** What is kept of a logout. Stores must give it back whole; JSON can hold it. */
export interface LogoutMark {
  /** For stores that take a value's lifetime from here, as those of express-session do. In ms. */
  readonly cookie: { readonly expires: number; readonly maxAge: number };
  readonly logout: {
    /** When the logout happened, by the issuer's clock, in whole seconds since 1970. */
    readonly at: number;
    /** From when on the mark means nothing any more, in seconds since 1970. */
    readonly until: number;
  };
}

/**
 * Where marks of logouts are kept: any store made for express-session, or two methods of your own, which answer by
 * the callback or by a promise. What is kept must be seen by every process of the app, and must outlive them.
 *
 * Give the marks a store, a table or a prefix of their own. The id in an unsigned session cookie is whatever its
 * sender likes: in one store with the sessions, it could name a mark and have it overwritten or removed.
 */
export interface LogoutMarkStore {
  /** Answers with what was kept under the key, or with nothing. May forget what has expired. */
  get(key: string, done: (error?: unknown, kept?: object | null) => void): unknown;
  /** Keeps a {@link LogoutMark}; answers once it is safe. */
  set(key: string, mark: { readonly cookie: object }, done: (error?: unknown) => void): unknown;
}

/**
 * @throws TypeError when the store gives back something else than what it was given: that hides a logout.
 */
export async function readMark(store: LogoutMarkStore, key: string): Promise<LogoutMark['logout'] | undefined> {
  const kept = await answer(store, store.get, [key]);
  if (kept === undefined || kept === null) return undefined;
  const { logout } = kept as Partial<LogoutMark>;
  if (typeof logout?.at !== 'number' || typeof logout.until !== 'number') {
    throw new TypeError('The store gave back a logout mark without its times: it must keep the whole value.');
  }
  return logout;
}

/** @param now in ms since 1970 */
export async function keepMark(store: LogoutMarkStore, key: string, logout: LogoutMark['logout'], now: number): Promise<void> {
  const expires = logout.until * 1000;
  const mark: LogoutMark = { cookie: { expires, maxAge: expires - now }, logout };
  await answer(store, store.set, [key, mark]);
}

/**
 * Waits for a method that answers by a callback or by a promise. One that declares the callback must call it: an
 * `async` one may return long before it knows, and "no answer yet" must not be taken for "not logged out".
 */
function answer(store: LogoutMarkStore, method: (...args: never[]) => unknown, args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown, value?: unknown) => (error ? reject(error) : resolve(value));
    const returned: unknown = Reflect.apply(method, store, [...args, done]);
    if (isThenable(returned)) returned.then(method.length > args.length ? undefined : resolve, reject);
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
