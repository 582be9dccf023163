import { expect } from 'vitest';
import { endFrontchannelSession, type FrontchannelLogout, type FrontchannelResult } from '../src/frontchannel.js';
import { readLogin } from '../src/login.js';
import { App, pass, settle } from './app.js';
import { FakeFrame } from './frame.js';
import { FakeHub, HUB, ISSUER, idToken, type Claims } from './hub.js';
import { Origin } from './page.js';

/** One row's message: the right one for where it goes, but for what is said here. */
export interface Message {
  readonly to: 'frame' | 'tabs' | 'page' | 'storage';
  /** Laid over the right message, member by member; null takes a member away. */
  readonly with?: Members;
  /** All of the message. */
  readonly data?: unknown;
  /** A message that harms whoever looks at it carelessly. */
  readonly hostile?: 'getters' | 'cycle' | 'proto' | 'huge';
  readonly origin?: string;
  /** Whose message it is: that of the window above, unless it is said. */
  readonly window?: 'another' | 'none' | 'own';
  /** Origin of the page above the frame. */
  readonly above?: string;
  /** What is the top page: the page above the frame, unless it is said. */
  readonly top?: 'another' | 'own';
  readonly channel?: string;
  /** Whose logout it is, where it is not this tab's. */
  readonly of?: Partial<Claims>;
  readonly when?: 'too-late' | 'again' | 'nobody';
}

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members => value instanceof Object && !Array.isArray(value);

function laidOver(under: Members, over: Members): Members {
  const all: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = all[name];
    if (value === null) delete all[name];
    else all[name] = isMembers(value) && isMembers(below) ? laidOver(below, value) : value;
  }
  return all;
}

function dataOf(message: Message, right: Members): unknown {
  if (message.hostile) return hostile(message.hostile, right);
  if ('data' in message) return message.data;
  return laidOver(right, message.with ?? {});
}

/** Browsers copy messages, and so disarm some of these; nothing is to depend on it. */
function hostile(kind: NonNullable<Message['hostile']>, right: Members): unknown {
  switch (kind) {
    case 'getters':
      return new Proxy(right, {
        get() {
          throw new Error('read');
        },
      });
    case 'cycle': {
      const cycle: Record<string, unknown> = {};
      return Object.assign(cycle, { type: cycle, nonce: cycle, event: cycle, login: cycle, id: cycle });
    }
    case 'proto':
      return JSON.parse(`{"__proto__":${JSON.stringify(right)},"constructor":{"prototype":${JSON.stringify(right)}}}`);
    case 'huge':
      return Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`m${index}`, index]));
  }
}

/** The app's page at its `frontchannel_logout_uri`, in a frame of the hub's page. */
export class FrameUnderAttack {
  readonly #frame: FakeFrame;
  readonly #stored = new Map<string, string>();
  readonly #logouts: FrontchannelLogout[] = [];
  readonly #above: string;
  #result: FrontchannelResult | undefined;

  private constructor({ above = HUB, top }: Message) {
    this.#above = above;
    const nature = { above, stored: this.#stored, isSameSite: false, hasThirdPartyCookies: false, search: '?sid=s1' };
    this.#frame = new FakeFrame(nature);
    if (top) this.#frame.top = top === 'own' ? this.#frame : {};
    if (top === 'own') Object.defineProperty(this.#frame, 'parent', { value: this.#frame });
    const signOut = (logout: FrontchannelLogout) => void this.#logouts.push(logout);
    const options = { hub: HUB, signOut, sessionIn: 'server', window: this.#frame.asWindow } as const;
    void endFrontchannelSession(options).then((result) => (this.#result = result));
  }

  static async open(message: Message): Promise<FrameUnderAttack> {
    const target = new FrameUnderAttack(message);
    if (message.when === 'again') await target.hears({ to: 'frame' });
    if (message.when === 'too-late') await pass(5_000);
    await settle();
    return target;
  }

  get ended(): number {
    return this.#logouts.length;
  }

  async hears(message: Message): Promise<void> {
    const data = dataOf(message, { type: 'slo-frontchannel-logout', nonce: 'n1' });
    const source = { another: {}, none: undefined, own: this.#frame, above: this.#frame.parent }[message.window ?? 'above'];
    const origin = message.origin?.replace('${hub}', HUB) ?? this.#above;
    const event = Object.assign(new Event('message'), { source, origin, data });
    this.#frame.dispatchEvent(event);
    await settle();
  }

  state(): object {
    const { posted, document, reportError } = this.#frame;
    const reported = reportError.mock.calls.length;
    return structuredClone({ logouts: this.#logouts, posted, cookies: document.written, stored: this.#stored, reported });
  }

  /** The hub's own question is answered after all; unless nothing can be asked of this frame any more. */
  async stillHears(): Promise<void> {
    // What is offered to the hub does not reach a stranger's page.
    const isDeaf = this.#result !== undefined || this.#frame.posted.length === 0;
    const before = this.ended;
    await this.hears({ to: 'frame' });
    expect(this.ended).toBe(isDeaf ? before : 1);
  }
}

/** The app in a tab, beside others of the same origin. */
export class PageUnderAttack {
  readonly #origin = new Origin();
  readonly #hub = new FakeHub();
  readonly #token: string | null;
  #app!: App;

  private constructor({ when }: Message) {
    this.#token = when === 'nobody' ? null : idToken({ nonce: 'n1', auth_time: 1_763_712_000 });
  }

  static async open(message: Message): Promise<PageUnderAttack> {
    const target = new PageUnderAttack(message);
    target.#app = await App.open(target.#hub, { origin: target.#origin, token: target.#token });
    if (message.when === 'again') await target.hears({ to: 'tabs' });
    return target;
  }

  get ended(): number {
    return this.#app.told.length;
  }

  async hears(message: Message): Promise<void> {
    const { to, of = {}, channel } = message;
    const token = idToken({ nonce: 'n1', auth_time: 1_763_712_000, ...of });
    const { sub, sid, iss } = { sub: 'ada', sid: 's1', iss: ISSUER, ...of };
    const event = {
      ...{ id: '01JD6ZKQ3V8M4T9XW2C5B7N0RE', issuer: iss, scope: 'session', source: 'app', sub, sid },
      occurredAt: '2025-11-21T08:00:00Z',
    };
    const data = dataOf(message, { event, login: { ...readLogin(token) } });
    const { page } = this.#app;
    if (to === 'tabs') this.#tell(data, channel);
    if (to === 'page') {
      page.dispatchEvent(Object.assign(new Event('message'), { source: page, origin: message.origin ?? HUB, data }));
    }
    if (to === 'storage') page.dispatchEvent(Object.assign(new Event('storage'), { key: null, ...(data as object) }));
    await settle();
  }

  /** As another tab would; without the copy that a browser makes. */
  #tell(data: unknown, name: string | undefined): void {
    if (name) {
      const Channel = this.#app.page.BroadcastChannel as typeof BroadcastChannel;
      new Channel(name).postMessage(data);
      return;
    }
    for (const { onmessage } of this.#origin.channels) onmessage?.({ data });
  }

  state(): object {
    const { page, told, state, states, errors, asked } = this.#app;
    return structuredClone({
      ...{ told, state, states, asked, stored: this.#origin.stored },
      ...{ errors: errors.length, hidden: page.isHidden, acked: this.#hub.acked, connections: this.#hub.connections.length },
      ...{ sent: page.location.assign.mock.calls.length, reported: page.reportError.mock.calls.length },
    });
  }

  /** What another tab has heard of this tab's own session still counts; but once, and of somebody. */
  async stillHears(): Promise<void> {
    await this.hears({ to: 'tabs' });
    expect(this.ended).toBe(this.#token ? 1 : 0);
  }
}
