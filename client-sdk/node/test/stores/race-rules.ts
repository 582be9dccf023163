import { describe, expect, it } from 'vitest';
import type { SessionStore } from '../../src/stores/index.js';
import { ACME, sessionOf } from './harness.js';
import type { Bench } from './suite.js';

const SESSIONS = 60;
const WRITERS = 3;

/** What holds however many are at work at the same time. */
export function raceRules(bench: Bench): void {
  describe('at the same time', () => {
    it('a session that ends is not brought back by the requests that roll it', async () => {
      const [ender, ...writers] = await Promise.all(Array.from({ length: WRITERS + 1 }, () => bench.open()));
      const back = await race(ender!, writers);
      expect(back).toEqual([]);
      expect(await bench.harness.count()).toBe(0);
    });

    it('two logouts of one person, a sign-in elsewhere and a clean-up are all done', async () => {
      const stores = await Promise.all([bench.open(), bench.open(), bench.open()]);
      for (let round = 0; round < 5; round++) {
        for (let n = 0; n < 20; n++) await bench.store.set(`s${n}`, sessionOf({ sid: `s${n}` }));
        await Promise.all([
          ...stores.map((store) => store.deleteByLogoutToken({ iss: ACME, sub: 'auth0|ada' })),
          ...stores.map((store) => store.cleanUp()),
          ...stores.map((store, n) => store.set(`grace${n}`, sessionOf({ sub: 'auth0|grace' }))),
        ]);
        expect(await bench.harness.count()).toBe(stores.length);
      }
    });

    it('everybody may be the first to use the store', async () => {
      const stores = await Promise.all(Array.from({ length: 6 }, () => bench.open()));
      await Promise.all(stores.map((store, n) => store.set(`s${n}`, sessionOf({}))));
      expect(await bench.harness.count()).toBe(6);
    });
  });
}

/** Lets the others have their turn: a database that answers at once would never. */
const others = () => new Promise(setImmediate);

/**
 * Ends sessions, each in the midst of the requests that roll it, by `delete` and by either kind of logout in turn.
 *
 * @returns The sessions that are there again.
 */
export async function race(ender: SessionStore, writers: readonly SessionStore[]): Promise<string[]> {
  const ids = Array.from({ length: SESSIONS }, (_, n) => `s${n}`);
  await Promise.all(ids.map((id) => ender.set(id, sessionOf({ sid: id, sub: id }))));
  const over = new Set<string>();
  const ways = [
    (id: string) => ender.delete(id),
    (id: string) => ender.deleteByLogoutToken({ iss: ACME, sid: id }),
    (id: string) => ender.deleteByLogoutToken({ iss: ACME, sub: id }),
  ];
  const roll = async (writer: SessionStore, id: string) => {
    while (!over.has(id)) {
      await writer.update(id, sessionOf({ sid: id, sub: id, note: 'rolled' }));
      await others();
    }
    await writer.update(id, sessionOf({ sid: id, sub: id, note: 'rolled' }));
  };
  const end = async (id: string, n: number) => {
    await others();
    await ways[n % ways.length]!(id);
    over.add(id);
  };
  await Promise.all(ids.flatMap((id, n) => [...writers.map((writer) => roll(writer, id)), end(id, n)]));
  const found = await Promise.all(ids.map(async (id) => ((await ender.get(id)) ? [id] : [])));
  return found.flat();
}
