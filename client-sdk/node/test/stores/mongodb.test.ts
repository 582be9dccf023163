import { MongoClient, type Collection } from 'mongodb';
import { expect, it } from 'vitest';
import { mongoSessionStore, type MongoCollection } from '../../src/stores/index.js';
import { sessionOf, type Harness } from './harness.js';
import { startMongo } from './mongo-server.js';
import { storeSuite } from './suite.js';

interface MongoHarness extends Harness {
  readonly own: Collection;
}

/** SLO_TEST_MONGODB names a MongoDB to try, which is forgotten whole; else there is a stand-in of the tests' own. */
async function start(): Promise<MongoHarness> {
  const given = process.env['SLO_TEST_MONGODB'];
  const server = given ? { url: given, stop: () => {} } : await startMongo();
  const connect = () => new MongoClient(server.url);
  const opened = [connect()];
  const collectionOf = (client: MongoClient) => client.db('slo_test').collection('sessions');
  const own = collectionOf(opened[0]!);
  return {
    own,
    forgetsByItself: false,
    async open(options) {
      const client = connect();
      opened.push(client);
      const isMongoCollection: MongoCollection = collectionOf(client);
      return mongoSessionStore(isMongoCollection, options);
    },
    count: async () => (await own.find({}).toArray()).length,
    clear: async () => void (await own.deleteMany({})),
    async stop() {
      await Promise.all(opened.map((client) => client.close()));
      server.stop();
    },
  };
}

storeSuite('MongoDB', start, (bench) => {
  it('iss, sid and sub are fields with indexes, and MongoDB itself removes what has expired', async () => {
    const { own } = bench.harness as MongoHarness;
    await bench.store.set('one', sessionOf({}));
    expect(await own.findOne({})).toMatchObject({ _id: 'one', iss: 'https://acme.eu.auth0.com/', sid: 's-1', sub: 'auth0|ada' });
    const indexes = await own.listIndexes().toArray();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { sid: 1, iss: 1 } }));
    expect(indexes).toContainEqual(expect.objectContaining({ key: { sub: 1, iss: 1 } }));
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }));
  });

  it('sessions are read from the primary, and a change is one that most servers have', async () => {
    const asked: unknown[] = [];
    const { own } = bench.harness as MongoHarness;
    const watched = new Proxy(own, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...values: unknown[]) => (asked.push(values.at(-1)), Reflect.apply(method, target, values) as unknown);
      },
    });
    const store = mongoSessionStore(watched as unknown as MongoCollection, { createIndexes: false });
    await store.set('one', sessionOf({ createdAt: Math.floor(Date.now() / 1000) }));
    await store.update('one', sessionOf({ createdAt: Math.floor(Date.now() / 1000) }));
    await store.deleteByLogoutToken({ sid: 's-1' });
    await store.get('one');
    const safely = expect.objectContaining({ writeConcern: { w: 'majority' } });
    expect(asked).toEqual([safely, safely, safely, expect.objectContaining({ readPreference: 'primary' })]);
  });
});
