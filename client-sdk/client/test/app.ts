import { vi } from 'vitest';
import { Client, type EndSession } from '../src/client.js';
import type { SignedOutEvent, SloError, SloOptions, SloState, TokenRequest } from '../src/index.js';
import { FakeHub, HUB, idToken } from './hub.js';
import { FakePage, Origin } from './page.js';

/** Lets everything happen that waits for nothing. */
export async function settle(): Promise<void> {
  // Streams pass each chunk on through several promises.
  for (let turn = 0; turn < 40; turn++) await vi.advanceTimersByTimeAsync(0);
}

/** Lets so many ms pass. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

/** The machine sleeps: the wall clock goes on, and no timer does. */
export function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

interface Opened extends Partial<SloOptions> {
  readonly hub?: never;
  readonly origin?: Origin;
  /** What the app holds. Tests change it through {@link App.token}. */
  readonly token?: string | null;
  readonly endSession?: EndSession;
}

/** An app in a tab, with a session of its own, as a test sees it. */
export class App {
  readonly page: FakePage;
  readonly client: Client;
  readonly asked: TokenRequest['reason'][] = [];
  readonly told: SignedOutEvent[] = [];
  readonly states: SloState[] = [];
  readonly errors: SloError[] = [];
  token: string | null;

  constructor(
    readonly hub: FakeHub,
    { origin, token = idToken(), endSession, ...options }: Opened = {},
  ) {
    this.token = token;
    this.page = new FakePage(hub.network(), origin);
    const all: SloOptions = {
      hub: HUB,
      getToken: ({ reason }) => {
        this.asked.push(reason);
        return this.token;
      },
      onSignedOut: (event) => void this.told.push(event),
      ...options,
      autoStart: false,
    };
    this.client = new Client(all, this.page.asPage, endSession);
    this.client.on('state', ({ state }) => this.states.push(state));
    this.client.on('error', (error) => this.errors.push(error));
    if (options.autoStart !== false) this.client.start();
  }

  static async open(hub: FakeHub, options: Opened = {}): Promise<App> {
    const app = new App(hub, options);
    await settle();
    return app;
  }

  get state(): SloState {
    return this.client.state;
  }
}
