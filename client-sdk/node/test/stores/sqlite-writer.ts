import { createRequire } from 'node:module';
import { workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { sqliteSessionStore } from '../../src/stores/sqlite.js';
import { NOON, sessionOf } from './harness.js';

/** The requests of another process: it rolls the sessions that it was told of until it is told to stop. */
interface Task {
  readonly file: string;
  readonly ids: readonly string[];
  /** How many updates found their session; and whether to stop. */
  readonly counters: Int32Array;
  /** Where the driver is: this file is bundled, and runs from nowhere. */
  readonly driver: string;
}

async function roll({ file, ids, counters, driver }: Task): Promise<void> {
  const Driver = createRequire(driver)(driver) as typeof Database;
  const database = new Driver(file);
  const store = sqliteSessionStore(database, { now: () => NOON * 1000 });
  while (Atomics.load(counters, 1) === 0) {
    for (const id of ids) if (await store.update(id, sessionOf({ sid: id }))) Atomics.add(counters, 0, 1);
  }
  database.close();
}

void roll(workerData as Task);
