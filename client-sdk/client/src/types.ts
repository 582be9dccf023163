import type { SloError } from './errors.js';

/**
 * Where a client stands.
 *
 * - `idle`: not started, or the app says that nobody is signed in.
 * - `connecting`: asking the app for a token, or the hub for its answer.
 * - `connected`: the hub has said that the session is alive, and will say when it ends.
 * - `waiting`: the hub could not be reached; another try follows by itself.
 * - `signed-out`: the session is over. {@link SloClient.start} begins anew after a sign-in.
 * - `closed`: stopped by the app, or refused by the hub for good (see the `error` event).
 */
export type SloState = 'idle' | 'connecting' | 'connected' | 'waiting' | 'signed-out' | 'closed';

/** How far a logout reaches: this one browser session, or the person's sessions on every device. */
export type LogoutScope = 'session' | 'user';

/**
 * Who ended the session: an `app`; the provider by `backchannel`; the hub's logout page (`redirect`);
 * a person's list of sessions (`session_api`); an `admin`; `idle` or `absolute` time; a security `signal`.
 * A newer hub may name sources that this version does not know.
 */
export type LogoutSource =
  | 'app' | 'backchannel' | 'redirect' | 'session_api' | 'admin' | 'idle' | 'absolute' | 'signal'
  | (string & {});

/** A session has ended, and why: enough for a page to tell the person. Plain data, safe to keep as JSON. */
export interface SignedOutEvent {
  /** The logout's own id (a ULID), the same in every app and on the receipt. */
  readonly id: string;
  /** The provider whose session it was, as in the tokens' `iss`. */
  readonly issuer: string;
  readonly scope: LogoutScope;
  readonly source: LogoutSource;
  /** What the app that reported the logout gave as its reason. Text from that app: show it as text, never as HTML. */
  readonly reason?: string;
  /** When it happened, RFC 3339 in UTC. */
  readonly occurredAt: string;
  readonly sub?: string;
  /** Absent when every session of the person has ended. */
  readonly sid?: string;
}

/** Idle sign-out is near. Whatever the person does in any app calls it off. */
export interface IdleWarningEvent {
  /** How many seconds away it is. */
  readonly secondsLeft: number;
  /**
   * This page asks the person: from now on, until it is called off, {@link SloClient.stay} alone counts as activity in
   * this page. Otherwise the way to the dialog's button would answer already.
   */
  ask(): void;
}

/** What {@link SloClient.on} can tell. */
export interface SloEvents {
  readonly state: { readonly state: SloState; readonly previous: SloState };
  /** Told after {@link SloOptions.onSignedOut} has been called. */
  readonly 'signed-out': SignedOutEvent;
  readonly 'idle-warning': IdleWarningEvent;
  readonly 'idle-cancelled': Record<string, never>;
  readonly error: SloError;
}

/** Takes debug lines. They never hold a token. */
export interface Logger {
  debug(...line: unknown[]): void;
}

/** Why {@link SloOptions.getToken} is called, and when the answer is no longer wanted. */
export interface TokenRequest {
  /** `connect`: whatever the app has. `rejected`: what it had has expired, fetch a fresh one. */
  readonly reason: 'connect' | 'rejected';
  readonly signal: AbortSignal;
}

export interface SloOptions {
  /** The hub's public address. */
  readonly hub: string | URL;
  /**
   * The raw ID token of whoever is signed in to this app, expired or not; null or undefined when nobody is.
   * Create the client after the app has restored its own session, so that the answer is true.
   */
  getToken(request: TokenRequest): Promise<string | null | undefined> | string | null | undefined;
  /**
   * The session has ended elsewhere: end the app's own and show it. The hub is told that this app has signed out
   * once this returns, or its promise is fulfilled; not when it throws. Not called for this client's own
   * {@link SloClient.signOut}.
   */
  onSignedOut?(event: SignedOutEvent): void | Promise<void>;
  /** What to try, in this order. Default: both. */
  readonly transports?: ReadonlyArray<'websocket' | 'sse'>;
  /** Bounds of the wait between tries, in ms; default 500 and 30000. Each wait is drawn evenly from 0 to its bound. */
  readonly backoff?: { readonly min?: number; readonly max?: number };
  /** Pass a sign-out on to the app's other tabs at once, by BroadcastChannel. Default true. */
  readonly crossTab?: boolean;
  /**
   * Hide the page (true) or one element while the browser restores it with the Back button or wakes it from sleep,
   * until the hub has answered, 1.5 s at most. Default false.
   */
  readonly curtain?: boolean | HTMLElement;
  /** Report that the person is active, at most once a minute, where the hub signs idle people out. Default true. */
  readonly activity?: boolean;
  /** Start at once. Default true. */
  readonly autoStart?: boolean;
  /** Write what happens to the console, or to a logger. */
  readonly debug?: boolean | Logger;
  /** Used instead of the page's own. */
  readonly WebSocket?: typeof WebSocket;
  /** Used instead of the page's own. */
  readonly fetch?: typeof fetch;
}

export interface SignOutOptions {
  /** Default `session`. `user` needs an ID token that has not expired. */
  readonly scope?: LogoutScope;
  /** Shown to the person by the other apps; at most 200 characters. */
  readonly reason?: string;
  /** Go on to the hub's logout page, which ends the provider's session too. Default false. */
  readonly redirect?: boolean;
  /** How long to wait for the hub, in ms. Default 1500. */
  readonly timeoutMs?: number;
}

export interface SignOutResult {
  /** Whether the hub has it on disk. When not, the other apps have not been told by this way. */
  readonly delivered: boolean;
  /** Where to navigate so that the provider's session ends too; good once, for 60 s. */
  readonly continueUrl?: string;
}

/** One page's line to the hub. */
export interface SloClient {
  /** What it was made with. */
  readonly options: SloOptions;
  readonly state: SloState;
  /**
   * Settles with the hub's first answer after a start, or after 1.5 s with whatever the state is then.
   * Show private content when it is anything but `signed-out`.
   */
  readonly ready: Promise<SloState>;
  /** Listens. Returns what stops listening. A listener that throws disturbs nobody else. */
  on<K extends keyof SloEvents>(type: K, listener: (event: SloEvents[K]) => void): () => void;
  /** Begins, also anew after a sign-in; asks the app for its token. Nothing when it is running already. */
  start(): this;
  /** Lets go of the hub without signing anybody out. */
  stop(): void;
  /** The person wants to stay signed in: reported at once, where the hub signs idle people out. */
  stay(): void;
  /** Ends the session at the hub, and so in every app. Takes 1.5 s at most and never rejects. The app ends its own session. */
  signOut(options?: SignOutOptions): Promise<SignOutResult>;
}

/** A client that can end the app's own session as well. The adapters make them. */
export interface LogoutSloClient extends SloClient {
  /** Signs out everywhere: at the hub, in this app, at the provider. */
  logout(): Promise<void>;
}
