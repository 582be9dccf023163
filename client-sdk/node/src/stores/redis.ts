import { needs } from './driver.js';
import { indexedTable, type KeptRow, type Shelf } from './indexed.js';
import type { SessionRow } from './row.js';
import { sessionStore } from './store.js';
import type { SessionData, SessionStore, SessionStoreOptions } from './types.js';

/** What is used of a client of redis (node-redis), or of its cluster or its pool. */
export interface RedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

export interface RedisStoreOptions extends SessionStoreOptions {
  /** What every key begins with: `slo:` unless said. */
  readonly prefix?: string;
}

/**
 * Sessions in Redis 6.2 or newer, or Valkey, by redis. Works with a cluster too: no script touches two keys.
 *
 * ```js
 * const sessionStore = redisSessionStore(await createClient({ url }).connect());
 * ```
 *
 * Redis must not evict keys (`maxmemory-policy noeviction`), or logouts may no longer find their sessions; and what it
 * keeps only in memory, or has not sent to its replica yet, it may forget: ended sessions are then there again.
 */
export function redisSessionStore<Session = SessionData>(
  client: RedisClient,
  options: RedisStoreOptions = {},
): SessionStore<Session> {
  needs(client, 'eval', 'a client of redis: npm install redis');
  return sessionStore(indexedTable(redisShelf(client, options.prefix ?? 'slo:')), options);
}

function redisShelf(client: RedisClient, prefix: string): Shelf {
  const run = (script: string, key: string, ...values: readonly (string | number)[]) =>
    client.eval(script, { keys: [prefix + key], arguments: values.map(String) });
  return {
    async read(id) {
      return rowFrom(await run(READ, `session:${id}`));
    },
    async write(row, now) {
      await run(WRITE, `session:${row.id}`, row.expiresAt - now, ...fields(row), 'began', row.beganAt);
    },
    async replace(row, now) {
      return (await run(REPLACE, `session:${row.id}`, row.expiresAt - now, now, ...fields(row))) === 1;
    },
    async remove(id) {
      await run(REMOVE, `session:${id}`);
    },
    async removeIfEnded(id, logout) {
      const [name, value] = 'sid' in logout ? ['sid', logout.sid] : ['sub', logout.sub];
      const beganBy = 'beganBy' in logout ? (logout.beganBy ?? '') : '';
      await run(REMOVE_IF_ENDED, `session:${id}`, name, value, logout.iss ?? '', beganBy);
    },
    async enlist(list, value, id, until, now) {
      await run(ENLIST, `${list}:${value}`, id, until, now);
    },
    async listed(list, value) {
      return (await run(LISTED, `${list}:${value}`)) as string[];
    },
  };
}

/** The names and values of what a row has. */
function fields({ iss, sid, sub, expiresAt, endsAt, data }: SessionRow): (string | number)[] {
  const all = Object.entries({ iss, sid, sub, expires: expiresAt, ends: endsAt, data });
  return all.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

function rowFrom(reply: unknown): KeptRow | undefined {
  const [data, expires, ends, iss, sid, sub] = reply as (string | null)[];
  if (!data) return undefined;
  return { ...(iss && { iss }), ...(sid && { sid }), ...(sub && { sub }), expiresAt: Number(expires), endsAt: Number(ends), data };
}

// Lifetimes are handed over as what is left of them, so that only one clock is asked: the store's own.

const READ = "return redis.call('HMGET', KEYS[1], 'data', 'expires', 'ends', 'iss', 'sid', 'sub')";

const WRITE = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])`;

const REPLACE = `
local expires = redis.call('HGET', KEYS[1], 'expires')
if not expires or tonumber(expires) <= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1`;

const REMOVE = "redis.call('DEL', KEYS[1])";

const REMOVE_IF_ENDED = `
local kept = redis.call('HMGET', KEYS[1], ARGV[1], 'iss', 'began')
if kept[1] ~= ARGV[2] then return end
if ARGV[3] ~= '' and kept[2] and kept[2] ~= ARGV[3] then return end
if ARGV[4] ~= '' and tonumber(kept[3]) > tonumber(ARGV[4]) then return end
redis.call('DEL', KEYS[1])`;

const ENLIST = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
local left = ARGV[2] - ARGV[3]
if redis.call('TTL', KEYS[1]) < left then redis.call('EXPIRE', KEYS[1], left) end`;

const LISTED = "return redis.call('ZRANGE', KEYS[1], 0, -1)";
