import { WebSocket, type RawData } from 'ws';
import { isFinal, readMessage, type HubMessage } from './wire.js';

/** How long the hub may take to its first answer, in ms. */
const ANSWER_MS = 10_000;
/** How long the hub may take to answer a goodbye, in ms. */
const GOODBYE_MS = 1_000;
/** How many messages wait at most before the hub is asked, by not reading on, to wait itself. */
const WAITING = 1_000;
/** What a subscribed hub's heartbeat is taken for where it does not say, in seconds. */
const HEARTBEAT = 30;
/** An `slo-event` is far smaller. */
const LONGEST_MESSAGE = 64 * 1024;

/** How a connection ended. */
export interface Ending {
  /** The hub is gone, or said to come back. */
  readonly comesBack: boolean;
  /** The last `error` frame. */
  readonly error: HubMessage | undefined;
  readonly what: string;
}

/**
 * One connection to the hub, from its opening to its end, as the messages that come by it. It ends too when the hub has
 * said nothing for two of its heartbeats: a line may be dead and nobody tell.
 */
export class Connection implements AsyncIterable<HubMessage> {
  readonly #socket: WebSocket;
  readonly #waiting: HubMessage[] = [];
  #wake: () => void = () => {};
  readonly #end: Promise<void>;
  #ended!: () => void;
  #ending: Ending | undefined;
  #isDropped = false;
  #error: HubMessage | undefined;
  #trouble = '';
  #silenceMs = ANSWER_MS;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  #verdict: ReturnType<typeof setImmediate> | undefined;

  /** `ponged` hears the answers to {@link ping}. */
  constructor(url: URL, subscribe: object, ponged: (text: string) => void) {
    const socket = new WebSocket(url, 'slo.v1', {
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: ANSWER_MS,
      maxPayload: LONGEST_MESSAGE,
    });
    this.#socket = socket;
    this.#end = new Promise((resolve) => (this.#ended = resolve));
    this.#listen();
    socket.on('open', () => {
      this.say(subscribe);
      this.#listen();
    });
    socket.on('ping', () => this.#listen());
    socket.on('pong', (text) => ponged(String(text)));
    socket.on('message', (data, isBinary) => isBinary || this.#heard(data));
    socket.on('error', (error) => (this.#trouble = error.message));
    socket.on('close', (code) => this.#closed(code));
  }

  /** Undefined while it lasts. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** False where the connection is not open: then nobody hears it. */
  say(message: object): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The answer shows that the hub has read all that was said before. */
  ping(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(text);
  }

  /** Takes no more of what has come, or will. */
  drop(): void {
    this.#isDropped = true;
    this.#waiting.length = 0;
    this.#wake();
  }

  /** Says goodbye, and is patient for a moment only. Fulfilled at the end. */
  async close(): Promise<void> {
    this.#silenceMs = GOODBYE_MS;
    if (this.#socket.isPaused) this.#socket.resume();
    this.#socket.close(1000);
    this.#listen();
    await this.#end;
  }

  /** What came before the end is still to be had after it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<HubMessage, void> {
    while (!this.#isDropped) {
      const message = this.#waiting.shift();
      if (message) {
        if (this.#socket.isPaused && this.#waiting.length < WAITING / 2) this.#readOn();
        yield message;
      } else if (this.#ending) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #heard(data: RawData): void {
    const message = readMessage(String(data));
    if (message?.['type'] === 'subscribed') this.#silenceMs = 2000 * heartbeatOf(message);
    if (message?.['type'] === 'error') this.#error = message;
    this.#listen();
    if (!message || this.#isDropped) return;
    this.#waiting.push(message);
    if (this.#waiting.length >= WAITING) this.#stopReading();
    this.#wake();
  }

  /** The hub's heartbeats wait too, so their absence means nothing. */
  #stopReading(): void {
    this.#socket.pause();
    this.#stopListening();
  }

  #readOn(): void {
    this.#socket.resume();
    this.#listen();
  }

  /** Gives the hub its time again. */
  #listen(): void {
    this.#stopListening();
    if (this.#ending) return;
    this.#alarm = setTimeout(() => {
      // This process may have been asleep, or busy: what came meanwhile is read before the verdict.
      this.#verdict = setImmediate(() => {
        this.#trouble = 'the hub has fallen silent';
        this.#socket.terminate();
      });
    }, this.#silenceMs);
  }

  #stopListening(): void {
    clearTimeout(this.#alarm);
    clearImmediate(this.#verdict);
  }

  #closed(code: number): void {
    this.#stopListening();
    const what = this.#trouble || `the hub closed the connection: ${code}`;
    this.#ending = { comesBack: !isFinal(code), error: this.#error, what };
    this.#ended();
    this.#wake();
  }
}

function heartbeatOf(message: HubMessage): number {
  const seconds = message['heartbeat_seconds'];
  return typeof seconds === 'number' && seconds > 0 ? seconds : HEARTBEAT;
}
