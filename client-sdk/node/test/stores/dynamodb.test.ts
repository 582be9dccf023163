import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DeleteTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { expect, it } from 'vitest';
import { dynamoSessionStore, type DynamoDocument } from '../../src/stores/index.js';
import { ACME, ADA, DAY, NOON, sessionOf, type Harness } from './harness.js';
import { storeSuite } from './suite.js';

// dynalite is no DynamoDB: it checks requests, expressions and conditions as the real one does, and its writes to an
// item are atomic. It does not show that reads are consistent where they have to be, that time to live works, nor what
// throttling does. SLO_TEST_DYNAMODB names the endpoint of another to try, such as DynamoDB Local, AWS's own.

type Item = Record<string, unknown>;

interface DynamoHarness extends Harness {
  readonly own: DynamoDBDocument;
  items(): Promise<Item[]>;
}

const TableName = 'slo_sessions';

async function start(): Promise<DynamoHarness> {
  const engine = await startEngine();
  const connect = () =>
    new DynamoDBClient({ endpoint: engine.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  const raw = connect();
  await makeTable(raw);
  const own = DynamoDBDocument.from(raw);
  const opened = [own];
  const items = async () => (await own.scan({ TableName, ConsistentRead: true })).Items ?? [];
  return {
    own,
    items,
    forgetsByItself: true,
    async open(options) {
      const client = DynamoDBDocument.from(connect());
      opened.push(client);
      const isDynamoDocument: DynamoDocument = client;
      return dynamoSessionStore(isDynamoDocument, options);
    },
    count: async () => (await items()).filter((item) => item['sk'] === 'session').length,
    clear: async () => void (await Promise.all((await items()).map(({ pk, sk }) => own.delete({ TableName, Key: { pk, sk } })))),
    async stop() {
      await raw.send(new DeleteTableCommand({ TableName }));
      for (const client of opened) client.destroy();
      raw.destroy();
      engine.stop();
    },
  };
}

async function startEngine() {
  const given = process.env['SLO_TEST_DYNAMODB'];
  if (given) return { endpoint: given, stop: () => {} };
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => void server.close() };
}

async function makeTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName });
}

storeSuite('DynamoDB', start, (bench) => {
  const harness = () => bench.harness as DynamoHarness;

  it('a logout reads every page of a person’s sessions, and reads consistently', async () => {
    const { own } = harness();
    const asked: boolean[] = [];
    const client: DynamoDocument = {
      get: (input) => own.get(input),
      put: (input) => own.put(input),
      update: (input) => own.update(input),
      delete: (input) => own.delete(input),
      query: (input) => (asked.push(input.ConsistentRead ?? false), own.query({ ...input, Limit: 2 })),
    };
    const store = dynamoSessionStore(client, { now: () => NOON * 1000 });
    for (let n = 0; n < 7; n++) await store.set(`s${n}`, sessionOf({ sid: `s${n}` }));
    await store.deleteByLogoutToken({ iss: ACME, sub: ADA });
    expect(await harness().count()).toBe(0);
    expect(asked).toEqual([true, true, true, true]);
  });

  it('every item says when DynamoDB may forget it: a session when it expires, its places when it could not live longer', async () => {
    await bench.store.set('one', sessionOf({}));
    await bench.store.update('one', sessionOf({}));
    const lives = (await harness().items()).map(({ pk, expires_at }) => [pk, expires_at]);
    expect(lives.sort()).toEqual([
      ['session#one', NOON + DAY],
      ['sid#s-1', NOON + 3 * DAY],
      [`sub#${ADA}`, NOON + 3 * DAY],
    ]);
  });

  it('trouble is told, and is not taken for a session that is not there', async () => {
    const store = dynamoSessionStore(harness().own, { table: 'nowhere' });
    await expect(store.update('one', sessionOf({}))).rejects.toThrow();
    await expect(store.deleteByLogoutToken({ sid: 's-1' })).rejects.toThrow();
  });
});
