import type { LogoutClaims, LogoutStore } from '../stores/types.js';

/** A logout as the hub tells a back end of it. A store takes it as it is. */
export interface HubLogout extends LogoutClaims {
  /** The hub's name for it, the same every time it is told. */
  readonly id: string;
  readonly iss: string;
  /** `session`: `sid` says which one ended. `user`: every session of `sub` that began at `iat` or before. */
  readonly scope: 'session' | 'user';
  /** When, in seconds since 1970, rounded up. */
  readonly iat: number;
  /** Who began it: `app`, `backchannel`, `redirect`, `session_api`, `admin`, `idle`, `absolute`, `signal`. */
  readonly source: string;
  readonly reason?: string;
}

/** What carries the logouts out: a session store, or a function. A logout counts as done when the promise is fulfilled. */
export type LogoutHandler = LogoutStore | ((logout: HubLogout) => void | Promise<void>);

/** Where a back end keeps how far it is: with its sessions, so that both are lost together or not at all. */
export interface LogoutCursor {
  /** What was saved last; nothing where nothing was. */
  load(): string | null | undefined | Promise<string | null | undefined>;
  /** The logout with this id, and every one before it, is done. Called with the latest only; not while it is at work. */
  save(id: string): void | Promise<void>;
}

export interface WatchOptions {
  /** The hub's address. https, except on this machine. */
  readonly hub: string | URL;
  /** The app's name at the hub, and its secret there. */
  readonly clientId: string;
  readonly secret: string;
  /** Without one, every start is the first. */
  readonly cursor?: LogoutCursor;
  /**
   * Where the first start begins. `beginning`, unless said: with every logout that the hub still knows, since sessions
   * may be kept that ended while nobody watched. `now`: with those that happen from then on.
   */
  readonly from?: 'beginning' | 'now';
  /** Ends the watch, as `close` does. */
  readonly signal?: AbortSignal;
  /** Hears of all trouble. Where {@link WatchError.isFinal} is false, the watch goes on by itself. */
  readonly onError?: (error: WatchError) => void;
  /** Bounds of the wait before the next try, in ms: 500 and 30 000 unless said. Each is drawn evenly from 0 to its bound. */
  readonly backoff?: { readonly min?: number; readonly max?: number };
  /** Lets the secret cross a network in the clear, where that network is your own. */
  readonly allowHttp?: boolean;
}

export interface LogoutWatch {
  /**
   * Fulfilled when the hub has first said yes: from then on, every logout comes. Rejected with the {@link WatchError}
   * that ended the watch before that.
   */
  readonly ready: Promise<void>;
  /** Ends the watch: done when the logout that is being carried out is, and the place is saved. */
  close(): Promise<void>;
}

/**
 * Final, the watch is over: `unknown_cursor` (the hub does not have the logout that was saved: another hub, or one that
 * was restored from a backup. Forget what was saved and start again: then it begins at the beginning),
 * `invalid_client`, `not_allowed`, `bad_message`, `refused` where the hub gave no name, and `closed`.
 *
 * Not final: `disconnected` (comes back by itself), `handler_failed` (the same logout is tried again, and none is passed
 * over), `cursor_failed` (the place could not be loaded or saved, and is tried again), `bad_event` (what the hub sent
 * names nobody; it is passed over).
 */
export type WatchErrorCode =
  | 'unknown_cursor'
  | 'invalid_client'
  | 'not_allowed'
  | 'bad_message'
  | 'refused'
  | 'closed'
  | 'disconnected'
  | 'handler_failed'
  | 'cursor_failed'
  | 'bad_event';

/** Branch on the code; messages may change. No message holds a sid, a sub or a secret. `cause` is what was thrown. */
export class WatchError extends Error {
  override readonly name = 'WatchError';

  constructor(
    readonly code: WatchErrorCode,
    message: string,
    /** Whether the watch is over. */
    readonly isFinal: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}
