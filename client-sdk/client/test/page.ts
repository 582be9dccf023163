import { vi } from 'vitest';
import type { Page } from '../src/page.js';

/** What the pages of one origin share: storage, and broadcast channels. */
export class Origin {
  readonly stored = new Map<string, string>();
  readonly channels = new Set<FakeBroadcastChannel>();
  readonly storage = {
    getItem: (key: string) => this.stored.get(key) ?? null,
    setItem: (key: string, value: string) => void this.stored.set(key, value),
    removeItem: (key: string) => void this.stored.delete(key),
  };
}

class FakeBroadcastChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(
    private readonly origin: Origin,
    private readonly name: string,
  ) {
    origin.channels.add(this);
  }

  postMessage(data: unknown): void {
    for (const other of this.origin.channels) {
      if (other !== this && other.name === this.name) other.onmessage?.({ data: structuredClone(data) });
    }
  }

  close(): void {
    this.origin.channels.delete(this);
  }
}

/** An element that can be hidden and focused. Its style is a text, as far as the SDK is concerned. */
export class FakeElement {
  style = { cssText: '' };

  constructor(private readonly document: () => FakeDocument) {}

  focus(): void {
    this.document().activeElement = this;
  }
}

export class FakeDocument extends EventTarget {
  visibilityState = 'visible';
  readonly documentElement = new FakeElement(() => this);
  readonly body = new FakeElement(() => this);
  activeElement: FakeElement = this.body;
}

/** The networking that a page has. The fake hub makes one. */
export type Network = Pick<Page, 'fetch' | 'WebSocket'>;

/** A page in a browser, as far as the SDK touches it. Several can be open at once. */
export class FakePage extends EventTarget {
  readonly document = new FakeDocument();
  readonly location = { assign: vi.fn<(url: string) => void>() };
  readonly reportError = vi.fn<(cause: unknown) => void>();
  readonly localStorage: Origin['storage'];
  readonly BroadcastChannel: unknown;
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;

  constructor(network: Network, origin = new Origin()) {
    super();
    this.fetch = network.fetch;
    this.WebSocket = network.WebSocket;
    this.localStorage = origin.storage;
    this.BroadcastChannel = class extends FakeBroadcastChannel {
      constructor(name: string) {
        super(origin, name);
      }
    };
  }

  get asPage(): Page {
    return this as unknown as Page;
  }

  get isHidden(): boolean {
    return this.document.documentElement.style.cssText.includes('opacity:0');
  }

  /** Somebody follows a link; the answer has not come yet. */
  followLink(): void {
    this.dispatchEvent(new Event('beforeunload'));
  }

  /** Goes into the back/forward cache. */
  leave(): void {
    this.#tell('pagehide', true);
    this.document.dispatchEvent(new Event('freeze'));
  }

  /** Comes out of it, by the Back button. */
  comeBack(): void {
    this.document.dispatchEvent(new Event('resume'));
    this.#tell('pageshow', true);
  }

  goOnline(): void {
    this.dispatchEvent(new Event('online'));
  }

  show(): void {
    this.document.visibilityState = 'visible';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  hide(): void {
    this.document.visibilityState = 'hidden';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  press(): void {
    this.dispatchEvent(new Event('keydown'));
  }

  #tell(type: string, persisted: boolean): void {
    this.dispatchEvent(Object.assign(new Event(type), { persisted }));
  }
}
