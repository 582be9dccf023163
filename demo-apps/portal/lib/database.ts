import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { sqliteSessionStore } from '@slo-hub/node/stores';
import { withLookers } from './lookers';
import { settings } from './settings';

/** Opens the app's SQLite database, and makes it where there is none. What is written is on disk when the call returns. */
function open(file: string): Database.Database {
  // It holds people's tokens: for its owner only, and so are the files that SQLite puts beside it.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT');
  return database;
}

function make() {
  const database = open(settings().database);
  return { sessions: withLookers(sqliteSessionStore(database)), cookieSecret: cookieSecret(database) };
}

/** What encrypts the app's cookies. Made once, so that people stay signed in when the app starts again. */
function cookieSecret(database: Database.Database): string {
  database.prepare('INSERT OR IGNORE INTO secrets VALUES (?, ?)').run('cookies', randomBytes(32).toString('hex'));
  return database.prepare<[string], string>('SELECT value FROM secrets WHERE name = ?').pluck().get('cookies') as string;
}

let made: ReturnType<typeof make> | undefined;

/** Opened on first use: `next build` loads this file too, and has no database. */
export function database(): ReturnType<typeof make> {
  return (made ??= make());
}
