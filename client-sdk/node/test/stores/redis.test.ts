import { join } from 'node:path';
import { createClient } from 'redis';
import { expect, it } from 'vitest';
import { redisSessionStore, type RedisClient } from '../../src/stores/index.js';
import { ADA, DAY, HOUR, NOON, sessionOf, type Harness } from './harness.js';
import { startRedis } from './process.js';
import { storeSuite } from './suite.js';

interface RedisHarness extends Harness {
  readonly own: { ttl(key: string): Promise<number>; keys(pattern: string): Promise<string[]>; zCard(key: string): Promise<number> };
}

async function start(): Promise<RedisHarness> {
  const server = await startRedis();
  const connect = () => createClient({ socket: { path: join(server.folder, 'redis.sock'), tls: false } }).connect();
  const own = await connect();
  const opened = [own];
  return {
    own,
    forgetsByItself: true,
    async open(options) {
      const client = await connect();
      opened.push(client);
      const isRedisClient: RedisClient = client;
      return redisSessionStore(isRedisClient, options);
    },
    count: async () => (await own.keys('slo:session:*')).length,
    clear: async () => void (await own.flushAll()),
    async stop() {
      for (const client of opened) client.destroy();
      await server.stop();
    },
  };
}

storeSuite('Redis', start, (bench) => {
  it('Redis forgets a session when it expires, and its places on the lists when it could not live longer', async () => {
    const { own } = bench.harness as RedisHarness;
    await bench.store.set('one', sessionOf({}));
    const ttl = async () => Promise.all(['session:one', 'sid:s-1', `sub:${ADA}`].map((key) => own.ttl(`slo:${key}`)));
    expect(await ttl()).toEqual([DAY, 3 * DAY, 3 * DAY]);
    bench.time = NOON + 2.5 * DAY;
    await bench.store.set('two', sessionOf({ createdAt: NOON + HOUR }));
    expect(await own.ttl('slo:session:two')).toBe(0.5 * DAY + HOUR);
  });

  it('a list forgets who could not live longer, though others join it', async () => {
    const { own } = bench.harness as RedisHarness;
    await bench.store.set('one', sessionOf({}));
    bench.time = NOON + 3 * DAY;
    await bench.store.set('two', sessionOf({ createdAt: bench.time }));
    expect(await own.zCard('slo:sid:s-1')).toBe(1);
  });

  it('every key has a life, and begins with the prefix', async () => {
    const { own } = bench.harness as RedisHarness;
    await bench.store.set('one', sessionOf({}));
    await bench.store.update('one', sessionOf({ sid: 's-2' }));
    for (const key of await own.keys('*')) {
      expect(key).toMatch(/^slo:/);
      expect(await own.ttl(key)).toBeGreaterThan(0);
    }
  });
});
