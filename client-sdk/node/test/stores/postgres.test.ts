import pg from 'pg';
import { expect, it } from 'vitest';
import { postgresSchema, postgresSessionStore, type PostgresPool } from '../../src/stores/index.js';
import { sessionOf, type Harness } from './harness.js';
import { startPostgres } from './process.js';
import { storeSuite } from './suite.js';

interface PostgresHarness extends Harness {
  readonly own: pg.Pool;
}

async function start(): Promise<PostgresHarness> {
  const server = await startPostgres();
  const connect = () => new pg.Pool({ host: server.folder, user: 'postgres', max: 8 });
  const own = connect();
  const opened = [own];
  const isThere = async () => (await own.query("SELECT to_regclass('slo_sessions') AS name")).rows[0].name !== null;
  return {
    own,
    forgetsByItself: false,
    async open(options) {
      const pool = connect();
      opened.push(pool);
      const isPostgresPool: PostgresPool = pool;
      return postgresSessionStore(isPostgresPool, options);
    },
    count: async () => ((await isThere()) ? Number((await own.query('SELECT count(*) FROM slo_sessions')).rows[0].count) : 0),
    clear: async () => void ((await isThere()) && (await own.query('DELETE FROM slo_sessions'))),
    async stop() {
      await Promise.all(opened.map((pool) => pool.end()));
      await server.stop();
    },
  };
}

storeSuite('PostgreSQL', start, (bench) => {
  it('stores that start together make the table together', async () => {
    const { own } = bench.harness as PostgresHarness;
    await own.query('DROP TABLE IF EXISTS slo_sessions');
    const stores = await Promise.all(Array.from({ length: 8 }, () => bench.open()));
    await Promise.all(stores.map((store, n) => store.set(`s${n}`, sessionOf({}))));
    expect(await bench.harness.count()).toBe(8);
  });

  it('a table that migrations make is not made', async () => {
    const { own } = bench.harness as PostgresHarness;
    const store = postgresSessionStore(own, { table: 'mine', createTable: false });
    await expect(store.get('one')).rejects.toThrow('mine');
    await own.query(postgresSchema('mine'));
    await own.query(postgresSchema('mine'));
    expect(await store.get('one')).toBeNull();
  });

  it('a table that could not be made is made by the next one who asks', async () => {
    const { own } = bench.harness as PostgresHarness;
    let isDown = true;
    const pool: PostgresPool = { query: (text, values) => (isDown ? Promise.reject(new Error('down')) : own.query(text, values)) };
    const store = postgresSessionStore(pool, { table: 'later' });
    await expect(store.get('one')).rejects.toThrow('down');
    isDown = false;
    expect(await store.get('one')).toBeNull();
  });

  it('a logout finds its sessions by an index', async () => {
    const { own } = bench.harness as PostgresHarness;
    const client = await own.connect();
    await client.query('SET enable_seqscan = off');
    const plan = async (where: string) => JSON.stringify((await client.query(`EXPLAIN SELECT 1 FROM slo_sessions WHERE ${where}`)).rows);
    expect(await plan("sid = 'x' AND (iss IS NULL OR iss = 'y')")).toContain('slo_sessions_sid');
    expect(await plan("sub = 'x' AND (iss IS NULL OR iss = 'y')")).toContain('slo_sessions_sub');
    expect(await plan('expires_at <= 5')).toContain('slo_sessions_expires_at');
    client.release();
  });
});
