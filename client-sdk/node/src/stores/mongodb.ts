import { needs } from './driver.js';
import { column, onceAsync } from './sql.js';
import { sessionStore } from './store.js';
import type { SessionTable } from './table.js';
import type { SessionData, SessionStore, SessionStoreOptions } from './types.js';

/** What is used of a `Collection` of mongodb. */
export interface MongoCollection {
  createIndexes(indexes: { key: Record<string, 1>; name: string; expireAfterSeconds?: number }[]): Promise<unknown>;
  findOne(filter: Filter, options: { readPreference: 'primary'; projection: Record<string, 1> }): Promise<unknown>;
  replaceOne(filter: Filter, row: Fields, options: { upsert: true } & Safely): Promise<unknown>;
  updateOne(filter: Filter, change: { $set: Fields }, options: Safely): Promise<{ readonly matchedCount: number }>;
  deleteMany(filter: Filter, options: Safely): Promise<unknown>;
}

type Fields = Record<string, unknown>;
type Filter = Record<string, unknown>;
interface Safely {
  writeConcern: { w: 'majority' };
}

export interface MongoStoreOptions extends SessionStoreOptions {
  /** Whether the indexes are made on first use where they are missing: true unless said. */
  readonly createIndexes?: boolean;
}

/** What most of the servers have cannot be lost when another becomes the primary. */
const SAFELY: Safely = { writeConcern: { w: 'majority' } };

/**
 * Sessions in MongoDB, by mongodb. They are read from the primary, whatever the collection prefers: a secondary may not
 * have heard yet that a session ended.
 *
 * ```js
 * const sessionStore = mongoSessionStore(client.db('app').collection('sessions'));
 * ```
 */
export function mongoSessionStore<Session = SessionData>(
  collection: MongoCollection,
  options: MongoStoreOptions = {},
): SessionStore<Session> {
  needs(collection, 'findOne', 'a Collection of mongodb: npm install mongodb');
  const ready = onceAsync(async () => options.createIndexes !== false && (await collection.createIndexes(INDEXES)));
  return sessionStore(mongoTable(collection, ready), options);
}

/** The last also has MongoDB remove what has expired. */
const INDEXES = [
  { key: { sid: 1, iss: 1 } as const, name: 'sid' },
  { key: { sub: 1, iss: 1 } as const, name: 'sub' },
  { key: { expiresAt: 1 } as const, name: 'expiresAt', expireAfterSeconds: 0 },
];

function mongoTable(collection: MongoCollection, ready: () => Promise<void>): SessionTable {
  return {
    async read(id, now) {
      const filter = { _id: id, expiresAt: { $gt: date(now) } };
      return column(await collection.findOne(filter, { readPreference: 'primary', projection: { data: 1 } }), 'data');
    },
    async write({ id, iss, sid, sub, beganAt, expiresAt, data }) {
      await ready();
      const row = { ...present({ iss, sid, sub }), beganAt: date(beganAt), expiresAt: date(expiresAt), data };
      await collection.replaceOne({ _id: id }, row, { upsert: true, ...SAFELY });
    },
    async replace({ id, iss, sid, sub, expiresAt, data }, now) {
      const change = { $set: { ...present({ iss, sid, sub }), expiresAt: date(expiresAt), data } };
      const { matchedCount } = await collection.updateOne({ _id: id, expiresAt: { $gt: date(now) } }, change, SAFELY);
      return matchedCount > 0;
    },
    async remove(id) {
      await collection.deleteMany({ _id: id }, SAFELY);
    },
    async removeEnded(logout) {
      await ready();
      const ofIssuer = logout.iss === undefined ? {} : { iss: { $in: [logout.iss, null] } };
      const who = 'sid' in logout ? { sid: logout.sid } : { sub: logout.sub, ...begun(logout.beganBy) };
      await collection.deleteMany({ ...who, ...ofIssuer }, SAFELY);
    },
    async removeExpired(now) {
      await collection.deleteMany({ expiresAt: { $lte: date(now) } }, SAFELY);
    },
  };
}

function begun(beganBy: number | undefined): Filter {
  return beganBy === undefined ? {} : { beganAt: { $lte: date(beganBy) } };
}

function date(seconds: number): Date {
  return new Date(seconds * 1000);
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
