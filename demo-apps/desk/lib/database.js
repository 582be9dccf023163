import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import Database from 'libsql';

const TABLES = ['sessions', 'logout_marks'];

/** Opens the app's SQLite database, and makes it where there is none. What is written is on disk when the call returns. */
export function openDatabase(file) {
  // It holds people's tokens: for its owner only, and so are the files that SQLite puts beside it.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  for (const table of TABLES) {
    database.exec(`CREATE TABLE IF NOT EXISTS ${table} (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL)`);
    database.exec(`CREATE INDEX IF NOT EXISTS ${table}_by_expiry ON ${table} (expires_at)`);
  }
  database.exec('CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
  return database;
}

/** What signs the app's cookies. Made once, so that people stay signed in when the app starts again. */
export function cookieSecret(database) {
  database.prepare('INSERT OR IGNORE INTO secrets VALUES (?, ?)').run('cookies', randomBytes(32).toString('base64url'));
  return database.prepare('SELECT value FROM secrets WHERE name = ?').get('cookies').value;
}

/** One table as a store for express-openid-connect: of its sessions, or of marks that some have ended. */
export class SqliteStore {
  #find;
  #keep;
  #remove;
  #clean;

  /** @param {'sessions' | 'logout_marks'} table */
  constructor(database, table) {
    this.#find = database.prepare(`SELECT value FROM ${table} WHERE id = ? AND expires_at > ?`);
    this.#keep = database.prepare(
      `INSERT INTO ${table} VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
    );
    this.#remove = database.prepare(`DELETE FROM ${table} WHERE id = ?`);
    this.#clean = database.prepare(`DELETE FROM ${table} WHERE expires_at <= ?`);
  }

  async get(id) {
    const row = this.#find.get(id, Date.now());
    return row && JSON.parse(row.value);
  }

  async set(id, value) {
    this.#clean.run(Date.now());
    this.#keep.run(id, JSON.stringify(value), Math.ceil(Number(value.cookie.expires)));
  }

  async destroy(id) {
    this.#remove.run(id);
  }
}
