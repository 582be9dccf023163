import { hangCurtain, type Curtain } from './curtain.js';
import { createEmitter, type Emitter } from './emitter.js';
import { SloError, type SloErrorCode } from './errors.js';
import { reachHub, type Hub } from './hub.js';
import { Line } from './line.js';
import type { Login } from './login.js';
import { watchActivity, watchPage, type Page } from './page.js';
import { openTabs, type Tabs } from './tabs.js';
import type { SignedOutEvent, SignOutOptions, SignOutResult, SloClient, SloEvents, SloOptions, SloState } from './types.js';
import { openVault } from './vault.js';
import { readLogout, type HubMessage } from './wire.js';

/** How long anything here may keep a person waiting, in ms: `ready`, the curtain, a sign-out. */
const PATIENCE_MS = 1_500;
/** Activity is reported so often, at most, in ms. */
const ACTIVITY_MS = 60_000;

/** How an adapter ends the app's own session, before anybody is shown anything. */
export type EndSession = (ended: Login | undefined) => Promise<void>;

/** What an adapter does between the hub's answer to a sign-out and the acknowledgement. */
export type Finish = (result: SignOutResult) => Promise<void>;

/** One page's line to the hub, and what happens when the session ends. Without a document, nothing does. */
export class Client implements SloClient {
  state: SloState = 'idle';
  ready: Promise<SloState> = Promise.resolve('idle');
  #settle: (() => void) | undefined;
  /** From `start` to `stop`, or to the end of the session. */
  #life = new AbortController();
  /** When to report again what the person does: never where the hub signs nobody out for being idle, or a dialog asks them. */
  #quietUntil = Infinity;
  /** Whether the app's own session has ended, once a logout was heard of or the app itself signs out. One for each start. */
  #ending: Promise<boolean> | undefined;
  /** Over once the page can be said to stay. Whoever signs out by a link is told here before the link's answer comes: an app
   * that then navigates by itself would take the person off their way. */
  #away: Promise<unknown> | undefined;

  readonly #page: Page;
  readonly #endSession: EndSession | undefined;
  readonly #hub: Hub;
  readonly #line: Line;
  readonly #tabs: Tabs;
  readonly #curtain: Curtain;
  readonly #events: Emitter<SloEvents>;

  constructor(
    readonly options: SloOptions,
    page: Page,
    endSession?: EndSession,
  ) {
    this.#page = page;
    this.#endSession = endSession;
    this.#hub = reachHub(options, page);
    const name = `slo-hub:${this.#hub.base}`;
    this.#curtain = hangCurtain(page, options.curtain);
    this.#events = createEmitter(page);
    this.#line = new Line(this.#hub, options, openVault(page, name), {
      moved: (state) => (state === 'closed' ? this.stop() : this.#moved(state)),
      heard: (message) => this.#heard(message),
      failed: (...what) => this.#failed(...what),
    });
    this.#tabs = openTabs(
      page,
      name,
      () => this.#line.held?.login,
      (event) => this.#ended(event),
    );
    if (options.autoStart !== false) this.start();
  }

  on<K extends keyof SloEvents>(type: K, listener: (event: SloEvents[K]) => void): () => void {
    return this.#events.on(type, listener);
  }

  start(): this {
    if (!this.#page.document || (this.state !== 'idle' && !this.#life.signal.aborted)) return this;
    this.#rest();
    this.#life = new AbortController();
    this.#ending = undefined;
    this.ready = new Promise((resolve) => {
      this.#settle = () => resolve(this.state);
      setTimeout(this.#settle, PATIENCE_MS);
    });
    this.#watch();
    this.#line.begin();
    return this;
  }

  stop(): void {
    this.#rest();
    this.#moved('closed');
  }

  signOut(options: SignOutOptions = {}, finish?: Finish): Promise<SignOutResult> {
    const leaving = this.#page.document ? this.#leave(options, finish) : Promise.resolve({ delivered: false });
    this.#ending = leaving.then(
      () => true,
      () => false,
    );
    return leaving;
  }

  stay(): void {
    if (this.state !== 'connected') return;
    this.#quietUntil = Date.now() + ACTIVITY_MS;
    this.#line.voice()({ type: 'activity' }, 'session/activity');
  }

  #rest(): void {
    this.#life.abort();
    this.#line.letGo();
    this.#tabs.close();
  }

  async #leave({ timeoutMs = PATIENCE_MS, redirect, ...what }: SignOutOptions, finish?: Finish): Promise<SignOutResult> {
    const login = this.#line.held?.login;
    this.#finish();
    this.#curtain.lift();
    const report = this.#report(what, AbortSignal.timeout(timeoutMs)).catch(() => undefined);
    const answer = await Promise.race([report, after(timeoutMs)]);
    const event = answer && readLogout(answer);
    // A line that is open stays: the hub says it there too, and that is acknowledged.
    if (event) this.#tabs.tell(event, login);
    else this.#line.letGo();
    const continueUrl = answer?.['continue_url'] as string | undefined;
    const result = { delivered: !!event, ...(continueUrl && { continueUrl }) };
    await finish?.(result);
    if (redirect && continueUrl) this.#page.location.assign(continueUrl);
    return result;
  }

  /** Tells the hub, with what the page holds, else with what the app has. An expired one is exchanged once. */
  async #report({ scope, reason }: SignOutOptions, signal: AbortSignal): Promise<HubMessage | undefined> {
    for (const ask of ['connect', 'rejected'] as const) {
      const { held } = this.#line;
      // A ticket may end its own session only.
      const credential =
        held && ask === 'connect' && scope !== 'user'
          ? held.credential
          : await this.options.getToken({ reason: ask, signal });
      if (!credential) break;
      const response = await this.#hub.post('logouts', credential, { scope, reason: reason?.slice(0, 200) });
      if (response.ok) return (await response.json()) as HubMessage;
      if (response.status !== 401) break;
    }
    return undefined;
  }

  #watch(): void {
    const tryNow = () => {
      if (this.state !== 'connecting') void this.#line.open();
    };
    watchPage(this.#page, this.#life.signal, {
      leaves: () => {
        this.#away = undefined;
        this.#curtain.draw();
        this.#tabs.close();
        this.#line.letGo();
        this.#moved('waiting');
      },
      freezes: this.#curtain.draw,
      returns: () => {
        this.#curtain.draw();
        this.#curtain.liftWithin(PATIENCE_MS);
        tryNow();
      },
      goes: () => (this.#away = after(2 * PATIENCE_MS)),
      online: tryNow,
      shows: () => {
        if (this.state !== 'connected') tryNow();
      },
    });
    if (this.options.activity === false) return;
    watchActivity(this.#page, this.#life.signal, () => {
      if (Date.now() >= this.#quietUntil) this.stay();
    });
  }

  #heard(message: HubMessage): void {
    const type = message['type'];
    this.#log('heard', type);
    if (type === 'slo-event') {
      const event = readLogout(message);
      if (!event) return;
      const { id } = event;
      if (!this.#ending) this.#tabs.tell(event, this.#line.held?.login);
      const say = this.#line.voice();
      void this.#ended(event).then((hasEnded) => hasEnded && say({ type: 'ack', id }, `logouts/${id}/acks`));
    } else if (type === 'idle-warning') {
      this.#quietUntil = 0;
      this.#events.emit(type, { secondsLeft: message['seconds_left'] as number, ask: () => (this.#quietUntil = Infinity) });
    } else if (type === 'idle-cancelled') {
      this.#quietUntil = 0;
      this.#events.emit(type, {});
    } else if (type === 'subscribed') {
      this.#quietUntil = message['idle_timeout_seconds'] ? 0 : Infinity;
    }
  }

  /** The session has ended. It ends once, however often that is told, and by whom. */
  #ended(event: SignedOutEvent): Promise<boolean> {
    return (this.#ending ??= this.#end(event));
  }

  #finish(): void {
    this.#line.finish();
    this.#life.abort();
    this.#moved('signed-out');
  }

  /** Whether the app's own session has ended: only that is acknowledged. */
  async #end(event: SignedOutEvent): Promise<boolean> {
    await this.#away;
    this.#finish();
    const login = this.#line.held?.login;
    let hasEnded = true;
    const attempt = async (what: () => unknown) => {
      try {
        await what();
      } catch (cause) {
        hasEnded = false;
        this.#failed('handler_failed', 'sign-out threw', cause);
      }
    };
    // A handler may go on for as long as a person reads.
    this.#curtain.liftWithin(2 * PATIENCE_MS);
    const local = attempt(() => this.#endSession?.(login));
    await Promise.race([local, after(PATIENCE_MS)]);
    this.#curtain.loosen();
    const shown = attempt(() => this.options.onSignedOut?.(event));
    this.#events.emit('signed-out', event);
    await shown;
    this.#curtain.lift();
    await local;
    return hasEnded;
  }

  #moved(state: SloState): void {
    const previous = this.state;
    this.state = state;
    if (state === 'connecting') {
      if (this.options.crossTab !== false) this.#tabs.open();
    } else if (state !== 'waiting') {
      this.#settle?.();
      if (state !== 'signed-out') this.#curtain.lift();
    }
    if (state === previous) return;
    this.#log(state);
    this.#events.emit('state', { state, previous });
  }

  #failed(code: SloErrorCode, message: string, cause?: unknown): void {
    const error = new SloError(code, message, cause);
    if (!this.#events.emit('error', error)) console.error(error);
  }

  #log(...line: unknown[]): void {
    const { debug } = this.options;
    if (debug) (debug === true ? console : debug).debug('slo-hub:', ...line);
  }
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
