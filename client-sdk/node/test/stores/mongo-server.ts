import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Query } from 'mingo';
import { update } from 'mingo/updater';
import { BSON } from 'mongodb';

/**
 * A server that the real driver of MongoDB talks to, over a real socket: the wire protocol is MongoDB's, queries and
 * updates are mingo's, which are MongoDB's language. No MongoDB is to be had from the registries that the tests use.
 *
 * What it cannot show: MongoDB's own locking and its retries of conflicting writes (here, one command is done before
 * the next), replication and elections, whether an index is used, and the removal of what has expired.
 */
export async function startMongo(): Promise<MongoServer> {
  const collections = new Map<string, Document[]>();
  const indexes = new Map<string, Document[]>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    const commands = commandsOn(collections, indexes);
    listen(socket, (command) => answerTo(command, commands));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/?directConnection=true`,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export interface MongoServer {
  readonly url: string;
  stop(): void;
}

type Document = Record<string, unknown>;
type Commands = Record<string, (command: Document) => Document>;

const HELLO = {
  isWritablePrimary: true,
  ismaster: true,
  helloOk: true,
  maxBsonObjectSize: 16 * 1024 * 1024,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
};

function answerTo(command: Document, commands: Commands): Document {
  const name = Object.keys(command)[0] ?? '';
  try {
    const does = commands[name];
    if (!does) return { ok: 0, errmsg: `no such command: '${name}'`, code: 59, codeName: 'CommandNotFound' };
    return { ok: 1, ...does(command) };
  } catch (error) {
    return { ok: 0, errmsg: String(error), code: 2, codeName: 'BadValue' };
  }
}

function commandsOn(collections: Map<string, Document[]>, indexes: Map<string, Document[]>): Commands {
  const rowsOf = (name: unknown) => collections.get(String(name)) ?? collections.set(String(name), []).get(String(name))!;
  const cursor = (ns: unknown, firstBatch: Document[]) => ({ cursor: { id: BSON.Long.ZERO, ns: `test.${String(ns)}`, firstBatch } });
  return {
    hello: () => HELLO,
    ismaster: () => HELLO,
    isMaster: () => HELLO,
    ping: () => ({}),
    endSessions: () => ({}),
    find: ({ find, filter }) => cursor(find, rowsOf(find).filter((row) => new Query(filter as never).test(row))),
    update: ({ update: name, updates }) => changed(rowsOf(name), updates as Change[]),
    delete: ({ delete: name, deletes }) => removed(rowsOf(name), deletes as Removal[]),
    createIndexes({ createIndexes: name, indexes: made }) {
      indexes.set(String(name), made as Document[]);
      return {};
    },
    listIndexes: ({ listIndexes }) => cursor(listIndexes, indexes.get(String(listIndexes)) ?? []),
  };
}

interface Change {
  readonly q: Document;
  readonly u: Document;
  readonly upsert?: boolean;
}

function changed(rows: Document[], changes: readonly Change[]): Document {
  let n = 0;
  const upserted: Document[] = [];
  for (const [index, { q, u, upsert }] of changes.entries()) {
    const at = rows.findIndex((row) => new Query(q as never).test(row));
    const isWhole = !Object.keys(u).some((key) => key.startsWith('$'));
    if (at < 0 && !upsert) continue;
    n += 1;
    if (at < 0) {
      if (!isWhole) throw new Error('an upsert by operators is not made here');
      upserted.push({ index, _id: q['_id'] });
      rows.push({ _id: q['_id'], ...u });
    } else if (isWhole) rows[at] = { _id: rows[at]!['_id'], ...u };
    else update(rows[at] as never, u as never);
  }
  return { n, nModified: n - upserted.length, ...(upserted.length > 0 && { upserted }) };
}

interface Removal {
  readonly q: Document;
  readonly limit: number;
}

function removed(rows: Document[], removals: readonly Removal[]): Document {
  const before = rows.length;
  for (const { q, limit } of removals) {
    let left = limit === 0 ? Infinity : limit;
    const query = new Query(q as never);
    for (let at = rows.length - 1; at >= 0 && left > 0; at--) {
      if (!query.test(rows[at]!)) continue;
      rows.splice(at, 1);
      left -= 1;
    }
  }
  return { n: before - rows.length };
}

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const MORE_TO_COME = 2;

/** Cuts what arrives into messages and answers each, in order. */
function listen(socket: Socket, answer: (command: Document) => Document): void {
  let got = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    got = Buffer.concat([got, bytes]);
    while (got.length >= HEADER && got.length >= got.readInt32LE(0)) {
      const size = got.readInt32LE(0);
      const reply = replyTo(got.subarray(0, size), answer);
      if (reply) socket.write(reply);
      got = got.subarray(size);
    }
  });
}

function replyTo(message: Buffer, answer: (command: Document) => Document): Buffer | undefined {
  const requestId = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP_QUERY) {
    const afterName = message.indexOf(0, HEADER + 4) + 1;
    const body = BSON.serialize(answer(BSON.deserialize(message.subarray(afterName + 8))));
    const prefix = Buffer.alloc(20);
    prefix.writeInt32LE(1, 16);
    return framed(requestId, OP_REPLY, Buffer.concat([prefix, body]));
  }
  if (opcode !== OP_MSG) throw new Error(`opcode ${opcode} is not spoken here`);
  const reply = answer(readSections(message.subarray(HEADER + 4)));
  if (message.readInt32LE(HEADER) & MORE_TO_COME) return undefined;
  return framed(requestId, OP_MSG, Buffer.concat([Buffer.alloc(5), BSON.serialize(reply)]));
}

/** A command is one document, and lists that go with it. */
function readSections(bytes: Buffer): Document {
  let command: Document = {};
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at];
    const size = bytes.readInt32LE(at + 1);
    const part = bytes.subarray(at + 1, at + 1 + size);
    if (kind === 0) command = { ...BSON.deserialize(part), ...command };
    else Object.assign(command, { ...command, ...list(part) });
    at += 1 + size;
  }
  return command;
}

function list(part: Buffer): Document {
  const end = part.indexOf(0, 4);
  const documents: Document[] = [];
  for (let at = end + 1; at < part.length; at += part.readInt32LE(at)) {
    documents.push(BSON.deserialize(part.subarray(at, at + part.readInt32LE(at))));
  }
  return { [part.toString('utf8', 4, end)]: documents };
}

function framed(responseTo: number, opcode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, body]);
}
