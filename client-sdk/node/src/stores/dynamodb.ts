import { needs } from './driver.js';
import { indexedTable, type KeptRow, type Shelf } from './indexed.js';
import { sessionStore } from './store.js';
import type { EndedPerson, EndedSession } from './table.js';
import type { SessionData, SessionStore, SessionStoreOptions } from './types.js';

/** What is used of a `DynamoDBDocument` of @aws-sdk/lib-dynamodb. */
export interface DynamoDocument {
  get(input: DynamoKey): Promise<{ Item?: Item | undefined }>;
  put(input: DynamoTable & { Item: Item }): Promise<unknown>;
  update(input: DynamoKey & { UpdateExpression: string }): Promise<unknown>;
  delete(input: DynamoKey): Promise<unknown>;
  query(input: DynamoQuery): Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Item | undefined }>;
}

type Item = Record<string, unknown>;

/** The members of the SDK's inputs that are used here. */
export interface DynamoTable {
  TableName: string;
  ConsistentRead?: boolean;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

export interface DynamoKey extends DynamoTable {
  Key: Item;
  ConditionExpression?: string;
}

export interface DynamoQuery extends DynamoTable {
  KeyConditionExpression: string;
  ExclusiveStartKey?: Item;
}

export interface DynamoStoreOptions extends SessionStoreOptions {
  /** `slo_sessions` unless said. */
  readonly table?: string;
}

/**
 * Sessions in DynamoDB, by @aws-sdk/lib-dynamodb.
 *
 * ```js
 * const sessionStore = dynamoSessionStore(DynamoDBDocument.from(new DynamoDBClient()));
 * ```
 *
 * The table is yours to make: partition key `pk` and sort key `sk`, both strings, and time to live by `expires_at`. No
 * secondary index: those lag behind, and a logout would miss a session that has only just begun. What finds the sessions
 * of a `sid` or a `sub` are items of the same table, read consistently. Not a global table that is written to in two
 * regions: there, the last writer wins, and could bring a session back.
 */
export function dynamoSessionStore<Session = SessionData>(
  client: DynamoDocument,
  options: DynamoStoreOptions = {},
): SessionStore<Session> {
  needs(client, 'get', 'a DynamoDBDocument: npm install @aws-sdk/client-dynamodb @aws-sdk/lib-dynamodb');
  return sessionStore(indexedTable(dynamoShelf(client, options.table ?? 'slo_sessions')), options);
}

function dynamoShelf(client: DynamoDocument, TableName: string): Shelf {
  return {
    async read(id) {
      const { Item } = await client.get({ TableName, Key: sessionKey(id), ConsistentRead: true });
      return Item && rowFrom(Item);
    },
    async write({ id, iss, sid, sub, ...row }) {
      const { beganAt: began_at, expiresAt: expires_at, endsAt: ends_at, data } = row;
      const known = present({ iss, sid, sub });
      await client.put({ TableName, Item: { ...sessionKey(id), ...known, began_at, expires_at, ends_at, data } });
    },
    async replace({ id, iss, sid, sub, expiresAt: expires_at, endsAt: ends_at, data }, now) {
      const values = present({ iss, sid, sub, expires_at, ends_at, data });
      return ifSo(
        client.update({
          TableName,
          Key: sessionKey(id),
          UpdateExpression: `SET ${Object.keys(values).map((name) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: '#expires_at > :now',
          ExpressionAttributeNames: names(Object.keys(values)),
          ExpressionAttributeValues: placeholders({ ...values, now }),
        }),
      );
    },
    async remove(id) {
      await client.delete({ TableName, Key: sessionKey(id) });
    },
    async removeIfEnded(id, logout) {
      await ifSo(client.delete({ TableName, Key: sessionKey(id), ...condition(logout) }));
    },
    async enlist(list, value, id, until) {
      await client.put({ TableName, Item: { pk: `${list}#${value}`, sk: id, expires_at: until } });
    },
    listed: (list, value) => listed(client, TableName, `${list}#${value}`),
  };
}

async function listed(client: DynamoDocument, TableName: string, pk: string): Promise<string[]> {
  const ids: string[] = [];
  let next: Item | undefined;
  do {
    const page = await client.query({
      TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
      ...(next && { ExclusiveStartKey: next }),
    });
    ids.push(...(page.Items ?? []).map((item) => String(item['sk'])));
    next = page.LastEvaluatedKey;
  } while (next);
  return ids;
}

/** That the session is one which the logout ends. */
function condition(logout: EndedSession | EndedPerson) {
  const [name, value] = 'sid' in logout ? ['sid', logout.sid] : ['sub', logout.sub];
  const beganBy = 'beganBy' in logout ? logout.beganBy : undefined;
  const rules = [`#${name} = :${name}`];
  if (logout.iss !== undefined) rules.push('(attribute_not_exists(#iss) OR #iss = :iss)');
  if (beganBy !== undefined) rules.push('#began_at <= :began_at');
  const values = present({ [name]: value, iss: logout.iss, began_at: beganBy });
  return {
    ConditionExpression: rules.join(' AND '),
    ExpressionAttributeNames: names(Object.keys(values)),
    ExpressionAttributeValues: placeholders(values),
  };
}

/** False where the condition did not hold. */
async function ifSo(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

function sessionKey(id: string): Item {
  return { pk: `session#${id}`, sk: 'session' };
}

function rowFrom({ iss, sid, sub, expires_at, ends_at, data }: Item): KeptRow {
  return { ...present({ iss, sid, sub }), expiresAt: Number(expires_at), endsAt: Number(ends_at), data: String(data) };
}

function present(values: Item): Item {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Every name by a placeholder: some are words that DynamoDB keeps for itself. */
function names(all: readonly string[]): Record<string, string> {
  return Object.fromEntries(all.map((name) => [`#${name}`, name]));
}

function placeholders(values: Item): Item {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]));
}
