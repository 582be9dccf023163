import { expect, it } from 'vitest';
import { sessionStore } from '../../src/stores/store.js';
import type { SessionTable } from '../../src/stores/table.js';
import { race } from './race-rules.js';
import { NOON } from './harness.js';

/** What the suite is there to find: this one looks first and writes then. */
function careless(): SessionTable {
  const rows = new Map<string, { data: string; sid?: string; sub?: string }>();
  const table: SessionTable = {
    read: async (id) => rows.get(id)?.data,
    write: async (row) => void rows.set(row.id, row),
    async replace(row) {
      if ((await table.read(row.id, 0)) === undefined) return false;
      await new Promise(setImmediate);
      await table.write(row, 0);
      return true;
    },
    remove: async (id) => void rows.delete(id),
    async removeEnded(logout) {
      for (const [id, row] of rows) if ('sid' in logout ? row.sid === logout.sid : row.sub === logout.sub) rows.delete(id);
    },
  };
  return table;
}

it('the race finds a store that looks first and writes then', async () => {
  const store = sessionStore<never>(careless(), { now: () => NOON * 1000 });
  expect((await race(store as never, [store as never])).length).toBeGreaterThan(0);
});
