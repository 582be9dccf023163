import { needs } from './driver.js';
import { sessionStore } from './store.js';
import { column, once, tableName } from './sql.js';
import type { SessionTable } from './table.js';
import type { SessionData, SessionStore, SessionStoreOptions } from './types.js';

/** What is used of a `Database` of better-sqlite3. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

export interface SqliteStatement {
  run(...values: readonly unknown[]): { readonly changes: number | bigint };
  get(...values: readonly unknown[]): unknown;
}

export interface SqliteStoreOptions extends SessionStoreOptions {
  /** `slo_sessions` unless said. Made on first use where it is missing. */
  readonly table?: string;
}

/**
 * Sessions in SQLite, by better-sqlite3: for one machine, in as many processes as there are.
 *
 * ```js
 * const sessionStore = sqliteSessionStore(new Database('sessions.db'));
 * ```
 *
 * Where the database is in WAL mode, set `synchronous = FULL` too: better-sqlite3 has it at `NORMAL`, by which a
 * session that was ended just before the power failed is there again.
 */
export function sqliteSessionStore<Session = SessionData>(
  database: SqliteDatabase,
  options: SqliteStoreOptions = {},
): SessionStore<Session> {
  const name = tableName(options.table);
  needs(database, 'prepare', 'a Database of better-sqlite3: npm install better-sqlite3');
  return sessionStore(sqliteTable(once(() => prepare(database, name))), options);
}

type Statements = ReturnType<typeof prepare>;

function sqliteTable(statements: () => Statements): SessionTable {
  return {
    async read(id, now) {
      return column(statements().read.get(id, now), 'data');
    },
    async write({ id, iss, sid, sub, beganAt, expiresAt, data }) {
      statements().write.run(id, iss ?? null, sid ?? null, sub ?? null, beganAt, expiresAt, data);
    },
    async replace({ id, iss, sid, sub, expiresAt, data }, now) {
      const { changes } = statements().replace.run(iss ?? null, sid ?? null, sub ?? null, expiresAt, data, id, now);
      return Number(changes) > 0;
    },
    async remove(id) {
      statements().remove.run(id);
    },
    async removeEnded(ended) {
      const iss = ended.iss ?? null;
      if ('sid' in ended) statements().removeSession.run(ended.sid, iss, iss);
      else statements().removePerson.run(ended.sub, iss, iss, ended.beganBy ?? Number.MAX_SAFE_INTEGER);
    },
    async removeExpired(now) {
      statements().removeExpired.run(now);
    },
  };
}

function prepare(database: SqliteDatabase, name: string) {
  database.exec(schema(name));
  return {
    read: database.prepare(`SELECT data FROM ${name} WHERE id = ? AND expires_at > ?`),
    write: database.prepare(`INSERT OR REPLACE INTO ${name} (id, iss, sid, sub, began_at, expires_at, data)
      VALUES (?, ?, ?, ?, ?, ?, ?)`),
    replace: database.prepare(`UPDATE ${name} SET iss = coalesce(?, iss), sid = coalesce(?, sid),
      sub = coalesce(?, sub), expires_at = ?, data = ? WHERE id = ? AND expires_at > ?`),
    remove: database.prepare(`DELETE FROM ${name} WHERE id = ?`),
    removeSession: database.prepare(`DELETE FROM ${name} WHERE sid = ? AND (iss = ? OR iss IS NULL OR ? IS NULL)`),
    removePerson: database.prepare(`DELETE FROM ${name} WHERE sub = ? AND (iss = ? OR iss IS NULL OR ? IS NULL)
      AND began_at <= ?`),
    removeExpired: database.prepare(`DELETE FROM ${name} WHERE expires_at <= ?`),
  };
}

function schema(name: string): string {
  return `
    CREATE TABLE IF NOT EXISTS ${name} (
      id TEXT PRIMARY KEY NOT NULL,
      iss TEXT,
      sid TEXT,
      sub TEXT,
      began_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${name}_sid ON ${name} (sid, iss);
    CREATE INDEX IF NOT EXISTS ${name}_sub ON ${name} (sub, iss);
    CREATE INDEX IF NOT EXISTS ${name}_expires_at ON ${name} (expires_at);`;
}
