import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { sqliteSessionStore } from '../../src/stores/index.js';
import { sessionOf, type Harness } from './harness.js';
import { storeSuite } from './suite.js';

type SqliteHarness = Harness & { readonly file: string };

async function start(): Promise<SqliteHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'slo-sqlite-'));
  const file = join(folder, 'sessions.db');
  const opened: Database.Database[] = [];
  const connect = () => {
    const database = new Database(file);
    database.pragma('journal_mode = WAL');
    opened.push(database);
    return database;
  };
  const own = connect();
  const hasTable = () => own.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'slo_sessions'").get() !== undefined;
  return {
    file,
    forgetsByItself: false,
    open: async (options) => sqliteSessionStore(connect(), options),
    count: async () => (hasTable() ? (own.prepare('SELECT count(*) AS n FROM slo_sessions').get() as { n: number }).n : 0),
    clear: async () => void (hasTable() && own.exec('DELETE FROM slo_sessions')),
    async stop() {
      for (const database of opened) database.close();
      await rm(folder, { recursive: true });
    },
  };
}

storeSuite('SQLite', start, (bench) => {
  it('a session that ends is not brought back by another thread that rolls it', { timeout: 60_000 }, async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `s${n}`);
    for (const id of ids) await bench.store.set(id, sessionOf({ sid: id }));
    const writer = await startWriter((bench.harness as SqliteHarness).file, ids);
    await expect.poll(() => writer.done(), { timeout: 20_000 }).toBeGreaterThan(0);
    const before = writer.done();
    for (const id of ids) await bench.store.deleteByLogoutToken({ sid: id });
    expect(await bench.harness.count()).toBe(0);
    await writer.stop();
    expect(writer.done()).toBeGreaterThan(before);
    expect(await bench.harness.count()).toBe(0);
  });
});

/** A thread with a connection of its own, that updates the sessions over and over. */
async function startWriter(file: string, ids: readonly string[]) {
  const entry = fileURLToPath(new URL('sqlite-writer.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', write: false });
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const driver = createRequire(import.meta.url).resolve('better-sqlite3');
  const worker = new Worker(outputFiles[0]!.text, { eval: true, workerData: { file, ids, counters, driver } });
  const over = once(worker, 'exit');
  return {
    /** How many updates found their session. */
    done: () => Atomics.load(counters, 0),
    async stop() {
      Atomics.store(counters, 1, 1);
      expect(await over).toEqual([0]);
    },
  };
}

it('a logout finds its sessions by an index', () => {
  const database = new Database(':memory:');
  const asked: string[] = [];
  const prepare = (sql: string) => (asked.push(sql), database.prepare(sql));
  void sqliteSessionStore({ exec: (sql) => database.exec(sql), prepare }).get('one');
  const plan = (sql: string) => (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map((step) => step.detail);
  const removals = asked.filter((sql) => sql.startsWith('DELETE'));
  expect(removals.map((sql) => plan(sql.replaceAll('?', "'x'"))[0]?.replace(/ \(.*/, ''))).toEqual([
    'SEARCH slo_sessions USING INDEX sqlite_autoindex_slo_sessions_1',
    'SEARCH slo_sessions USING INDEX slo_sessions_sid',
    'SEARCH slo_sessions USING INDEX slo_sessions_sub',
    'SEARCH slo_sessions USING INDEX slo_sessions_expires_at',
  ]);
});

it.each(['', 'a b', 'x; DROP TABLE y', '1st', 'x'.repeat(42)])('a table’s name is a plain word: not "%s"', (table) => {
  expect(() => sqliteSessionStore(new Database(':memory:'), { table })).toThrow(TypeError);
});
