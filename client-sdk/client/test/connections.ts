import type { FakeHub } from './hub.js';

/** Something that can speak to the hub. */
export interface Sender {
  readonly credential: string;
}

/** One open channel, as the hub sees it. */
export abstract class FakeConnection implements Sender {
  credential = '';
  isOpen = true;
  isLive = false;
  abstract readonly via: 'websocket' | 'sse';

  abstract send(message: Record<string, unknown>): void;
  abstract close(code: number): void;

  /** Says why, and closes. */
  refuse(code: number, error: string, finer: string): void {
    this.send({ type: 'error', error, code: finer, error_description: 'as said' });
    this.close(code);
  }
}

/** A browser's end of a WebSocket, and the hub's. Opens, and closes, a moment later, as they do. */
export class FakeSocket extends FakeConnection {
  readonly via = 'websocket';
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    private readonly hub: FakeHub,
    readonly url: string,
    readonly protocol: string,
  ) {
    super();
    hub.connections.push(this);
    queueMicrotask(() => {
      if (hub.isDown || hub.refusesWebSockets) return this.#end(1006);
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.();
    });
  }

  /** Both ends send: the browser's end a text, the hub's an object. */
  override send(message: Record<string, unknown> | string): void {
    if (typeof message === 'string') this.hub.heard(JSON.parse(message) as Record<string, unknown>, this);
    else queueMicrotask(() => this.isOpen && this.onmessage?.({ data: JSON.stringify(message) }));
  }

  /** A code is the hub's; the browser's end closes without. */
  override close(code = 1005): void {
    this.readyState = 3;
    queueMicrotask(() => this.#end(code));
  }

  #end(code: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** One event stream. */
class FakeStream extends FakeConnection {
  readonly via = 'sse';

  constructor(private readonly controller: ReadableStreamDefaultController<Uint8Array>) {
    super();
  }

  write(text: string): void {
    for (const byte of Buffer.from(text)) this.controller.enqueue(Uint8Array.of(byte));
  }

  override send(message: Record<string, unknown>): void {
    this.write(`event: ${String(message['type'])}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  override close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.controller.close();
  }
}

/** Answers `GET /api/v1/events`. What is refused is refused before the stream begins. */
export function openStream(hub: FakeHub, credential: string, signal: AbortSignal): Response {
  let refused: Response | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const stream = new FakeStream(controller);
      stream.refuse = (code, error, finer) => {
        stream.isOpen = false;
        refused = Response.json({ error, code: finer }, { status: code === 4503 ? 403 : 401 });
      };
      hub.connections.push(stream);
      hub.subscribe(credential, stream);
      signal.addEventListener('abort', () => {
        if (!stream.isOpen) return;
        stream.isOpen = false;
        controller.error(signal.reason);
      });
    },
  });
  return refused ?? new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}
