import { hubAddress } from '../hub-address.js';
import { Acks } from './acks.js';
import { Backoff, MIN_UPTIME_MS } from './backoff.js';
import { Connection } from './connection.js';
import { Place } from './place.js';
import { WatchError, type HubLogout, type LogoutHandler, type LogoutWatch, type WatchErrorCode, type WatchOptions } from './types.js';
import { isText, readLogout, recordedAt, refusalOf, type HubMessage } from './wire.js';

/** How far the hub's clock and this machine's are never apart, in ms. */
const SKEW_MS = 60 * 60 * 1000;

/**
 * Hears every logout at the app's issuer from the hub and has it carried out, one after the other: at least once, in
 * order, and none is passed over, whatever fails in between.
 *
 * ```js
 * const watch = watchLogouts({ hub, clientId, secret, cursor: fileCursor('logouts.cursor') }, sessionStore);
 * await watch.ready;
 * ```
 *
 * @throws {TypeError} Where an option makes no sense.
 */
export function watchLogouts(options: WatchOptions, to: LogoutHandler): LogoutWatch {
  const watch = new Watch(options, to);
  const close = () => watch.close();
  if (options.signal?.aborted) void close();
  options.signal?.addEventListener('abort', close, { once: true });
  return { ready: watch.ready, close };
}

class Watch {
  readonly ready: Promise<void>;
  readonly #options: WatchOptions;
  readonly #carryOut: (logout: HubLogout) => void | Promise<void>;
  readonly #url: URL;
  readonly #end = new AbortController();
  readonly #place: Place;
  readonly #acks = new Acks();
  readonly #isOver: Promise<void>;
  readonly #startedAt = Date.now();
  #isReady!: () => void;
  #isRefused!: (error: WatchError) => void;
  #connection: Connection | undefined;
  #liveSince = 0;
  #wasLive = false;
  #comesFromBefore = false;

  constructor(options: WatchOptions, to: LogoutHandler) {
    this.#options = options;
    this.#carryOut = typeof to === 'function' ? to : (logout) => to.deleteByLogoutToken(logout);
    this.#url = addressOf(options);
    this.ready = new Promise((resolve, reject) => ([this.#isReady, this.#isRefused] = [resolve, reject]));
    this.ready.catch(() => {}); // Who does not ask hears it from onError.
    const report = (code: WatchErrorCode, message: string, cause: unknown) => this.#report(code, message, false, cause);
    this.#place = new Place(options, this.#end.signal, report, (ids) => this.#acks.tell(ids));
    this.#isOver = this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#connection?.drop();
    this.#isRefused(new WatchError('closed', 'the watch was closed', true));
    await this.#isOver;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const backoff = new Backoff(this.#options.backoff);
    await this.#place.load();
    while (!signal.aborted) {
      const refusal = await this.#follow();
      if (refusal) this.#refuse(refusal);
      if (signal.aborted) break;
      if (this.#liveSince && Date.now() - this.#liveSince >= MIN_UPTIME_MS) backoff.reset();
      await backoff.wait(signal);
    }
    await this.#place.settle();
  }

  /** Follows the hub for as long as one connection lasts. Says why, where the hub wants no other. */
  async #follow(): Promise<WatchErrorCode | undefined> {
    const connection = new Connection(this.#url, this.#subscribe(), (pong) => this.#acks.heard(pong));
    this.#connection = connection;
    this.#liveSince = 0;
    for await (const message of connection) await this.#heard(message, connection);
    if (this.#end.signal.aborted) {
      await this.#place.settle();
      await connection.close();
      return undefined;
    }
    const { comesBack, error, what } = connection.ending!;
    if (!comesBack) return refusalOf(error);
    this.#report('disconnected', what, false);
    return undefined;
  }

  #subscribe(): object {
    const { clientId: client_id, secret } = this.#options;
    const after = this.#after();
    this.#comesFromBefore = after === '' && this.#options.from === 'now';
    return { type: 'subscribe', client_id, secret, ...(after !== undefined && { after }) };
  }

  /**
   * From now on: only on the first connection. Were that lost before a logout came, a second "now" would pass over what
   * happened in between.
   */
  #after(): string | undefined {
    if (this.#place.done !== undefined) return this.#place.done;
    return this.#options.from === 'now' && !this.#wasLive ? undefined : '';
  }

  async #heard(message: HubMessage, connection: Connection): Promise<void> {
    if (message['type'] === 'subscribed') {
      this.#liveSince = Date.now();
      this.#wasLive = true;
      this.#isReady();
      this.#acks.renew(connection);
    } else if (message['type'] === 'slo-event') {
      await this.#logout(message);
    }
  }

  async #logout(event: HubMessage): Promise<void> {
    const logout = readLogout(event);
    if (!logout) {
      this.#report('bad_event', 'the hub sent a logout that names nobody', false);
      if (isText(event['id'])) this.#place.moveTo(event['id']);
    } else if (this.#isOfBefore(logout) || (await this.#isCarriedOut(logout))) {
      this.#place.moveTo(logout.id);
    }
  }

  /** Whether it is none of those that were asked for: they come along where "now" has gone by. */
  #isOfBefore({ id }: HubLogout): boolean {
    return this.#comesFromBefore && recordedAt(id) < this.#startedAt - SKEW_MS;
  }

  /** Tries until it is done. False where the watch ends first. */
  async #isCarriedOut(logout: HubLogout): Promise<boolean> {
    const backoff = new Backoff(this.#options.backoff);
    while (!this.#end.signal.aborted) {
      try {
        await this.#carryOut(logout);
        return true;
      } catch (cause) {
        this.#report('handler_failed', 'a logout could not be carried out', false, cause);
        await backoff.wait(this.#end.signal);
      }
    }
    return false;
  }

  #refuse(code: WatchErrorCode): void {
    const error = this.#report(code, `the hub refuses: ${code}`, true);
    this.#isRefused(error);
    this.#end.abort();
  }

  /** What listens to errors makes none. */
  #report(code: WatchErrorCode, message: string, isFinal: boolean, cause?: unknown): WatchError {
    const error = new WatchError(code, message, isFinal, cause);
    try {
      this.#options.onError?.(error);
    } catch {
      // Nobody is left to tell.
    }
    return error;
  }
}

/** Where the channel is. */
function addressOf({ hub, clientId, secret, allowHttp }: WatchOptions): URL {
  if (!clientId || !secret) throw new TypeError('clientId and secret are those of the app at the hub');
  const url = hubAddress(hub, '/ws', allowHttp);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
