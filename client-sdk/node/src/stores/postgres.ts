import { needs } from './driver.js';
import { column, onceAsync, tableName } from './sql.js';
import { sessionStore } from './store.js';
import type { SessionTable } from './table.js';
import type { SessionData, SessionStore, SessionStoreOptions } from './types.js';

/** What is used of a `Pool` of pg. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>;
}

export interface PostgresStoreOptions extends SessionStoreOptions {
  /** `slo_sessions` unless said. */
  readonly table?: string;
  /** Whether the table is made on first use where it is missing: true unless said. For `false`, see {@link postgresSchema}. */
  readonly createTable?: boolean;
}

/**
 * Sessions in PostgreSQL, by pg. The pool is that of the primary: a standby may not have heard yet that a session ended.
 *
 * ```js
 * const sessionStore = postgresSessionStore(new Pool({ connectionString }));
 * ```
 */
export function postgresSessionStore<Session = SessionData>(
  pool: PostgresPool,
  options: PostgresStoreOptions = {},
): SessionStore<Session> {
  const name = tableName(options.table);
  needs(pool, 'query', 'a Pool of pg: npm install pg');
  const ready = onceAsync(async () => options.createTable !== false && (await create(pool, name)));
  return sessionStore(postgresTable(pool, name, ready), options);
}

function postgresTable(pool: PostgresPool, name: string, ready: () => Promise<void>): SessionTable {
  async function run(text: string, ...values: unknown[]) {
    await ready();
    return pool.query(text, values);
  }
  // Those that remove several rows lock them in one order, or two of them could wait for each other.
  const removeWhere = (condition: string) => `DELETE FROM ${name} WHERE id IN
    (SELECT id FROM ${name} WHERE ${condition} ORDER BY id FOR UPDATE)`;
  const ofIssuer = '($2::text IS NULL OR iss IS NULL OR iss = $2)';
  return {
    async read(id, now) {
      const { rows } = await run(`SELECT data FROM ${name} WHERE id = $1 AND expires_at > $2`, id, now);
      return column(rows[0], 'data');
    },
    async write({ id, iss, sid, sub, beganAt, expiresAt, data }) {
      await run(`INSERT INTO ${name} (id, iss, sid, sub, began_at, expires_at, data) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO UPDATE SET (iss, sid, sub, began_at, expires_at, data) = ROW (excluded.iss, excluded.sid,
        excluded.sub, excluded.began_at, excluded.expires_at, excluded.data)`, id, iss, sid, sub, beganAt, expiresAt, data);
    },
    async replace({ id, iss, sid, sub, expiresAt, data }, now) {
      const { rowCount } = await run(`UPDATE ${name} SET iss = coalesce($2, iss), sid = coalesce($3, sid),
        sub = coalesce($4, sub), expires_at = $5, data = $6 WHERE id = $1 AND expires_at > $7`, id, iss, sid, sub, expiresAt, data, now);
      return rowCount !== 0;
    },
    async remove(id) {
      await run(`DELETE FROM ${name} WHERE id = $1`, id);
    },
    async removeEnded(ended) {
      if ('sid' in ended) await run(removeWhere(`sid = $1 AND ${ofIssuer}`), ended.sid, ended.iss);
      else await run(removeWhere(`sub = $1 AND ${ofIssuer} AND ($3::bigint IS NULL OR began_at <= $3)`), ended.sub, ended.iss, ended.beganBy);
    },
    async removeExpired(now) {
      await run(removeWhere('expires_at <= $1').replace('FOR UPDATE', 'FOR UPDATE SKIP LOCKED'), now);
    },
  };
}

/**
 * Makes the table, for those who keep their schema in migrations: `createTable: false` goes with it. It can be run
 * again without harm.
 */
export function postgresSchema(table?: string): string {
  const name = tableName(table);
  return `CREATE TABLE IF NOT EXISTS ${name} (
  id text PRIMARY KEY,
  iss text,
  sid text,
  sub text,
  began_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  data text NOT NULL
);
CREATE INDEX IF NOT EXISTS ${name}_sid ON ${name} (sid, iss);
CREATE INDEX IF NOT EXISTS ${name}_sub ON ${name} (sub, iss);
CREATE INDEX IF NOT EXISTS ${name}_expires_at ON ${name} (expires_at);
`;
}

/** Some number, the same in every process: of those that start together, one makes the table and the others wait. */
const MAKING_THE_TABLE = 7_561_032_114;

/** Several statements in one query are one transaction. */
async function create(pool: PostgresPool, name: string): Promise<void> {
  await pool.query(`SELECT pg_advisory_xact_lock(${MAKING_THE_TABLE}); ${postgresSchema(name)}`);
}
