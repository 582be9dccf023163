import { backoffMs, HERD_ATTEMPT, MIN_UPTIME_MS } from './backoff.js';
import type { Dial, Say } from './channel.js';
import type { SloErrorCode } from './errors.js';
import { openEventStream } from './event-stream.js';
import type { Hub } from './hub.js';
import { readLogin } from './login.js';
import type { SloOptions } from './types.js';
import type { Held, Vault } from './vault.js';
import { openWebSocket } from './websocket.js';
import {
  INVALID_TOKEN, isFinal, isHubsOwn, isShared, NO_ANSWER, TOKEN_EXPIRED, type ClientMessage, type HubMessage,
} from './wire.js';

/** How long a channel may take to its first answer, in ms. The hub itself gives up after 3 s. */
const ANSWER_MS = 5_000;
/** How long the app may take to find its token, in ms. */
const TOKEN_MS = 30_000;

/** Whom the line tells. */
export interface LineOwner {
  moved(state: 'connecting' | 'connected' | 'waiting' | 'idle' | 'closed'): void;
  heard(message: HubMessage): void;
  failed(code: SloErrorCode, message: string, cause?: unknown): void;
}

/**
 * Keeps one channel to the hub open: presents, waits, comes back, or stays away.
 *
 * One thing is under way at a time. `#run` is aborted when it is let go, and nothing that belongs to an aborted run
 * has an effect. One timer, `#alarm`, bounds whatever is under way.
 */
export class Line {
  /** What is presented. */
  held: Held | undefined;
  readonly #hub: Hub;
  readonly #options: SloOptions;
  readonly #vault: Vault;
  readonly #owner: LineOwner;
  #run = new AbortController();
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #say: Say | undefined;
  /** What is held is of no more use. */
  #isExpired = false;
  /** Which transport is used, counted on and on; one that works is kept. */
  #turn = 0;
  #liveSince = 0;
  #attempts = 0;
  #expiries = 0;
  #isOver = false;
  /** The last message on this channel. Before a close, it says more. */
  #last: HubMessage | undefined;

  constructor(hub: Hub, options: SloOptions, vault: Vault, owner: LineOwner) {
    this.#hub = hub;
    this.#options = options;
    this.#vault = vault;
    this.#owner = owner;
  }

  /** For a page that starts: what is held counts only if the app's token is of the same sign-in. */
  begin(): void {
    this.held = undefined;
    this.#attempts = this.#expiries = 0;
    this.#isOver = this.#isExpired = false;
    void this.open();
  }

  /** Lets go of what is under way and tries now. */
  async open(): Promise<void> {
    const signal = this.letGo();
    this.#alarm = setTimeout(() => this.#wait(), TOKEN_MS);
    this.#owner.moved('connecting');
    const failure = await this.#find(signal).catch((cause: unknown) => ({ cause }));
    if (signal.aborted) return;
    if (failure) {
      this.#owner.failed('token_failed', 'getToken threw', failure.cause);
      this.#wait();
    } else if (this.held) {
      this.#dial(this.held.credential);
    } else {
      this.letGo();
      this.#owner.moved('idle');
    }
  }

  /** Closes the channel, if there is one, and tries no more. The signal is that of what comes next. */
  letGo(): AbortSignal {
    clearTimeout(this.#alarm);
    this.#run.abort();
    this.#run = new AbortController();
    this.#say = this.#last = undefined;
    this.#liveSince = 0;
    return this.#run.signal;
  }

  /** The session is over: its ticket is forgotten, the channel stays for the acknowledgement, and none follows it. */
  finish(): void {
    this.#isOver = true;
    this.#vault.forget(this.held?.login);
    if (this.#say) clearTimeout(this.#alarm);
    else this.letGo();
  }

  /** How to speak on what is open now; as a request, where the channel does not carry it or is closed by then. */
  voice(): (message: ClientMessage, path: string) => void {
    const say = this.#say;
    const { credential } = this.held!;
    return (message, path) => {
      if (!say?.(message)) this.#hub.post(path, credential).catch(() => {}); // The hub goes by what it knows.
    };
  }

  /**
   * A reconnect presents what the tab holds, before anything fresh: a refreshed token could hide a logout that was
   * missed. A page that starts has to ask the app, and then presents the ticket of that very sign-in, if there is one.
   */
  async #find(signal: AbortSignal): Promise<void> {
    const isExpired = this.#isExpired;
    if (this.held && !isExpired) return;
    const token = await this.#options.getToken({ reason: isExpired ? 'rejected' : 'connect', signal });
    if (signal.aborted) return;
    this.#isExpired = false;
    this.held = undefined;
    if (!token) return this.#vault.nobodySignedIn();
    const login = readLogin(token);
    this.held = (!isExpired && this.#vault.find(login)) || { credential: token, login };
  }

  #dial(credential: string): void {
    const { transports = ['websocket', 'sse'] } = this.#options;
    const signal = this.letGo();
    const dial: Dial = {
      hub: this.#hub,
      credential,
      signal,
      heard: (message) => !signal.aborted && message && this.#heard(message),
      closed: (code) => signal.aborted || this.#isOver || this.#lost(code, transports.length),
    };
    this.#alarm = setTimeout(dial.closed, ANSWER_MS, NO_ANSWER);
    try {
      this.#say = (transports[this.#turn % transports.length] === 'sse' ? openEventStream : openWebSocket)(dial);
    } catch {
      dial.closed(NO_ANSWER); // A policy of the page forbids it.
    }
  }

  #heard(message: HubMessage): void {
    this.#last = message;
    if (message['type'] === 'subscribed' && !this.#isOver) {
      clearTimeout(this.#alarm);
      this.#liveSince = Date.now();
      this.#expiries = 0;
      this.held = { ...this.held!, credential: message['resume'] as string, isTicket: true };
      this.#vault.keep(this.held);
      this.#owner.moved('connected');
    }
    this.#owner.heard(message);
  }

  /** The channel is gone. */
  #lost(code: number, transports: number): void {
    const { isTicket, credential } = this.held!;
    // A ticket that the hub does not know any more is as good as expired.
    this.#isExpired = code === TOKEN_EXPIRED || (code === INVALID_TOKEN && !!isTicket);
    if (this.#isExpired && !this.#expiries++) {
      void this.open(); // A fresh token is all it takes.
    } else if (isFinal(code) && !this.#isExpired) {
      const { error = 'refused', code: finer = code } = this.#last ?? {};
      this.#owner.moved('closed');
      this.#owner.failed(error as SloErrorCode, `the hub refuses: ${String(finer)}`);
    } else if (this.#last || isHubsOwn(code) || ++this.#turn % transports === 0) {
      this.#wait(code); // Not the transport's fault, or each has had its turn.
    } else {
      this.#dial(credential);
    }
  }

  #wait(code = NO_ANSWER): void {
    const { min = 500, max = 30_000 } = this.#options.backoff ?? {};
    if (this.#liveSince) {
      if (Date.now() - this.#liveSince >= MIN_UPTIME_MS) this.#attempts = 0;
      if (isShared(code)) this.#attempts = Math.max(this.#attempts, HERD_ATTEMPT);
    }
    this.letGo();
    this.#alarm = setTimeout(() => this.open(), backoffMs(this.#attempts++, min, max, Math.random()));
    this.#owner.moved('waiting');
  }
}
