import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { SessionStore, SessionStoreOptions } from '../../src/stores/index.js';
import { NOON, type Harness } from './harness.js';
import { logoutRules } from './logout-rules.js';
import { raceRules } from './race-rules.js';
import { sessionRules } from './session-rules.js';

/** What the rules are tried on. `time` is the stores' clock, in seconds. */
export interface Bench {
  harness: Harness;
  store: SessionStore;
  time: number;
  open(options?: SessionStoreOptions): Promise<SessionStore>;
}

/** Every rule that holds for every store. `start` starts its database. */
export function storeSuite(name: string, start: () => Promise<Harness>, more?: (bench: Bench) => void): void {
  describe(`sessions in ${name}:`, () => {
    const bench = { time: NOON } as Bench;
    bench.open = (options) => bench.harness.open({ now: () => bench.time * 1000, ...options });
    beforeAll(async () => {
      bench.harness = await start();
      bench.store = await bench.open();
    }, 120_000);
    afterAll(() => bench.harness?.stop(), 30_000);
    beforeEach(async () => {
      bench.time = NOON;
      await bench.harness.clear();
    });
    sessionRules(bench);
    logoutRules(bench);
    raceRules(bench);
    more?.(bench);
  });
}
