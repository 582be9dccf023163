import type { SloError } from './errors.js';
import { isSameLogin, readLogin, type Login } from './login.js';
import { THIS_PAGE } from './page.js';
import type { LogoutSloClient, SignedOutEvent, SloClient, SloOptions, SloState } from './types.js';

/** What a page shows of its client. */
export interface SloView {
  readonly state: SloState;
  /**
   * Show what is private only while this is true: the hub has answered, or 1.5 s are over, and the session is not
   * known to have ended. It turns false before the framework's own state does, so that nothing below mistakes a
   * sign-out for somebody who has yet to sign in, and sends them there.
   */
  readonly isReady: boolean;
  /** Set when the session has ended elsewhere; not by this app's own logout. */
  readonly signedOut: SignedOutEvent | undefined;
  /** Idle sign-out is so many seconds away, unless the person does something. */
  readonly idleSecondsLeft: number | undefined;
  /** For `<slo-idle-warning>` and `<slo-sessions>`. Undefined at first, and on a server. */
  readonly client: LogoutSloClient | undefined;
}

/** What a page shows before anything is known, and on a server. */
export const UNKNOWN: SloView = {
  state: 'idle',
  isReady: false,
  signedOut: undefined,
  idleSecondsLeft: undefined,
  client: undefined,
};

/** What the adapters of frameworks see to by themselves. */
export type SeenTo = 'autoStart' | 'onSignedOut';

/** What an app may do besides showing the view. */
export interface FollowOptions {
  /** The session has ended elsewhere, and the app's own has been cleared. The view says so too. */
  onSignedOut?(event: SignedOutEvent): void | Promise<void>;
  /** Told of trouble; the console is where nobody is. */
  onError?(error: SloError): void;
}

/** What the adapters of sign-in libraries make. */
export interface LogoutClient<How> extends SloClient {
  logout(how?: How): Promise<void>;
}

/** How an adapter ties a client to its framework. */
export interface Framework<How> {
  /** Makes the client, with these of its options. */
  make(options: Pick<SloOptions, SeenTo>): LogoutClient<How>;
  /** The raw ID token that the app has now. */
  idToken(): Promise<string | undefined>;
  /** What the app asks for now, also where that has changed since. */
  options(): FollowOptions;
  show(view: SloView): void;
  /** Settles when what was shown is on the page. */
  painted(): Promise<unknown>;
}

/** A client that follows the sign-ins of a framework. */
export interface Followed<How> {
  logout(how?: How): Promise<void>;
  /** The framework has restored its session, or its person may have changed: begins, begins anew, or leaves all as it is. */
  check(): Promise<void>;
  /** Lets go of the hub. Signs nobody out. */
  close(): void;
}

/**
 * Ties a client to a framework: it begins when the framework has restored its session, and anew with every other
 * sign-in, page load or not; and the framework shows where it stands.
 */
export function follow<How extends { readonly redirect?: boolean }>(framework: Framework<How>): Followed<How> {
  let isClosed = false;
  const client = framework.make({
    autoStart: false,
    async onSignedOut(event) {
      const painted = framework.painted();
      await framework.options().onSignedOut?.(event);
      await painted;
    },
  });
  const view = watch(client, framework);
  const check = keepUp(client, { idToken: () => framework.idToken(), isStarted: false, isStopped: () => isClosed });
  const logout = client.logout.bind(client);
  // Whoever calls the client's own means this one: the page is to be shown again when it stays.
  client.logout = async (how) => {
    let isLeaving = how?.redirect !== false;
    try {
      await logout(how);
    } catch (cause) {
      isLeaving = false;
      throw cause;
    } finally {
      const stays = () => view.change({ isReady: true });
      if (!isLeaving) stays();
      // The Back button may bring this page back as it was left.
      else THIS_PAGE.addEventListener?.('pageshow', stays, { once: true });
    }
  };
  return {
    logout: client.logout,
    check,
    close() {
      isClosed = true;
      view.close();
      // What has ended is still being acknowledged.
      if (client.state !== 'signed-out') client.stop();
    },
  };
}

/** How the sign-ins of an app are kept up with. */
export interface Logins {
  /** The raw ID token that the app has now. */
  idToken(): Promise<string | undefined>;
  /** The client has been started already, with that token. */
  readonly isStarted: boolean;
  /** The client is to be left alone. */
  isStopped(): boolean;
}

/** Makes what is to be called whenever the app's sign-in may be another one, or none; a refreshed token is neither. */
export function keepUp(client: SloClient, { idToken, isStarted, isStopped }: Logins): () => Promise<void> {
  let checks = 0;
  let known: { readonly login: Login | undefined } | undefined;
  return async () => {
    const check = ++checks;
    // A token that cannot be had ends nothing. A client that starts asks for it again, and tells.
    const login = await idToken().then((token) => (token ? readLogin(token) : undefined), () => known?.login);
    if (isStopped() || check !== checks) return;
    const isSame = known ? isSamePerson(known.login, login) : isStarted;
    known = { login };
    if (!isSame || (login && client.state === 'idle')) restart(client, !!login);
  };
}

function isSamePerson(before: Login | undefined, now: Login | undefined): boolean {
  return before && now ? isSameLogin(before, now) : before === now;
}

function restart(client: SloClient, isSignedIn: boolean): void {
  if (client.state === 'signed-out') {
    if (!isSignedIn) return; // The app's own session has just been cleared.
  } else if (client.state !== 'idle') {
    client.stop();
  }
  client.start();
}

/** Shows where a client stands, at each of its moves. */
function watch<How>(client: LogoutClient<How>, { show, options }: Framework<How>) {
  let view: SloView = { ...UNKNOWN, client };
  let isOpen = true;
  const change = (more: Partial<SloView>) => {
    view = { ...view, ...more };
    if (isOpen) show(view);
  };
  client.on('state', ({ state, previous }) => {
    const isNew = state === 'connecting' && previous !== 'connected' && previous !== 'waiting';
    change({ state, idleSecondsLeft: undefined, ...(state === 'signed-out' && { isReady: false }) });
    if (!isNew) return;
    const { ready } = client;
    change({ isReady: false, signedOut: undefined });
    void ready.then((first) => client.ready === ready && first !== 'signed-out' && change({ isReady: true }));
  });
  client.on('signed-out', (signedOut) => change({ signedOut }));
  client.on('idle-warning', ({ secondsLeft }) => change({ idleSecondsLeft: secondsLeft }));
  client.on('idle-cancelled', () => change({ idleSecondsLeft: undefined }));
  client.on('error', (error) => {
    const { onError } = options();
    if (onError) onError(error);
    else console.error(error);
  });
  return { change, close: () => void (isOpen = false) };
}
