import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { WebSocketServer, type WebSocket } from 'ws';

/** The frames that the hub's own tests read too. */
export function golden(name: string): Record<string, unknown> {
  const path = new URL('../../../../tests/wire/frames.json', import.meta.url);
  const frames = JSON.parse(readFileSync(path, 'utf8')) as { name: string; frame: Record<string, unknown> }[];
  return { ...frames.find((frame) => frame.name === name)!.frame };
}

export const SECRET = 'correct horse battery staple';

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID of that time. */
export function idAt(ms: number, n = 0): string {
  const digits = (value: number, length: number) =>
    Array.from({ length }, (_, at) => LETTERS[Math.floor(value / 32 ** (length - 1 - at)) % 32]).join('');
  return digits(ms, 10) + digits(n, 16);
}

interface Frame extends Record<string, unknown> {
  readonly type: string;
}

/** A hub with a log of logouts, over real sockets. It can go, come back on the same port, and misbehave. */
export class FakeHub {
  /** Every logout, in order. */
  readonly log: Record<string, unknown>[] = [];
  readonly subscribed: Frame[] = [];
  readonly acked: string[] = [];
  readonly protocols: string[] = [];
  heartbeat = 27;
  /** Answers subscribes with this, and closes. */
  refusal: { readonly frame: object; readonly code: number } | undefined;
  /** Takes subscribes and says nothing. */
  isMute = false;
  /** Reads nothing more, as one whose line is breaking. */
  isDeaf = false;
  /** Pings as often as it said. */
  pings = true;
  #server: WebSocketServer | undefined;
  #port = 0;
  readonly #readers = new Map<WebSocket, number>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get open(): number {
    return this.#server?.clients.size ?? 0;
  }

  /** How many bytes wait for who does not read them. */
  unsent(): number {
    return Math.max(0, ...[...(this.#server?.clients ?? [])].map((socket) => socket.bufferedAmount));
  }

  async start(): Promise<this> {
    const server = new WebSocketServer({ port: this.#port, host: '127.0.0.1', path: '/ws', autoPong: false });
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
    return this;
  }

  /** Is gone at once, as a process is that was killed. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of server?.clients ?? []) socket.terminate();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    this.#readers.clear();
  }

  /** Cuts every connection; new ones are served. */
  cut(code?: number): void {
    for (const socket of this.#server?.clients ?? []) code ? socket.close(code) : socket.terminate();
  }

  /** Sends to whoever is there, whatever it is. */
  shout(text: string): void {
    for (const socket of this.#server?.clients ?? []) socket.send(text);
  }

  /** Records logouts and tells them. */
  logout(...logouts: Record<string, unknown>[]): string[] {
    const ids = logouts.map((logout) => {
      const id = idAt(Date.now(), this.log.length);
      this.log.push({ ...golden('slo-event for one session'), id, ...logout });
      return id;
    });
    for (const socket of this.#readers.keys()) this.#tell(socket);
    return ids;
  }

  #serve(socket: WebSocket): void {
    this.protocols.push(socket.protocol);
    socket.on('error', () => {});
    socket.on('close', () => this.#readers.delete(socket));
    socket.on('ping', (text) => this.isDeaf || socket.pong(text));
    socket.on('message', (data) => this.isDeaf || this.#heard(socket, JSON.parse(String(data)) as Frame));
    if (!this.pings) return;
    const timer = setInterval(() => socket.ping(), this.heartbeat * 1000);
    socket.on('close', () => clearInterval(timer));
  }

  #heard(socket: WebSocket, frame: Frame): void {
    if (frame.type === 'ack') return void this.acked.push(String(frame['id']));
    this.subscribed.push(frame);
    if (this.isMute) return;
    if (this.refusal) {
      socket.send(JSON.stringify(this.refusal.frame));
      return socket.close(this.refusal.code);
    }
    const after = frame['after'];
    const at = this.log.findIndex((logout) => logout['id'] === after);
    if (after && at < 0) return this.#unknown(socket);
    socket.send(JSON.stringify({ ...golden('subscribed, to a back end'), heartbeat_seconds: this.heartbeat }));
    this.#readers.set(socket, after === undefined ? this.log.length : at + 1);
    this.#tell(socket);
  }

  #unknown(socket: WebSocket): void {
    const error = { type: 'error', error: 'bad_message', code: 'unknown_cursor', error_description: 'x' };
    socket.send(JSON.stringify(error));
    socket.close(4500);
  }

  #tell(socket: WebSocket): void {
    const from = this.#readers.get(socket) ?? 0;
    for (const logout of this.log.slice(from)) socket.send(JSON.stringify(logout));
    this.#readers.set(socket, this.log.length);
  }
}

/** A cursor that shows what it keeps. */
export class Shelf {
  saved: string | undefined;
  readonly saves: string[] = [];
  async load(): Promise<string | undefined> {
    return this.saved;
  }
  async save(id: string): Promise<void> {
    this.saved = id;
    this.saves.push(id);
  }
}
