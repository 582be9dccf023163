import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sqliteSessionStore } from '../../src/stores/index.js';
import { watchLogouts, type HubLogout, type LogoutHandler, type LogoutWatch, type WatchError, type WatchOptions } from '../../src/watch/index.js';
import { NOON, sessionOf } from '../stores/harness.js';
import { FakeHub, golden, idAt, SECRET, Shelf } from './fake-hub.js';

let hub: FakeHub;
let shelf: Shelf;
let heard: HubLogout[];
let errors: WatchError[];
const watches: LogoutWatch[] = [];

beforeEach(async () => {
  [hub, shelf, heard, errors] = [await new FakeHub().start(), new Shelf(), [], []];
});
afterEach(async () => {
  await Promise.all(watches.splice(0).map((watch) => watch.close()));
  await hub.kill();
});

function watch(options: Partial<WatchOptions> = {}, to: LogoutHandler = (logout) => void heard.push(logout)): LogoutWatch {
  const common = { hub: hub.url, clientId: 'desk', secret: SECRET, cursor: shelf, backoff: { min: 1, max: 20 } };
  const made = watchLogouts({ ...common, onError: (error) => errors.push(error), ...options }, to);
  watches.push(made);
  return made;
}

const until = (holds: () => void) => vi.waitFor(holds, { timeout: 20_000, interval: 5 });
const ids = () => heard.map((logout) => logout.id);
const codes = () => errors.map((error) => error.code);
const people = (n: number) => Array.from({ length: n }, (_, at) => ({ sid: `s${at}` }));
/** More than the system itself keeps for a reader: then the hub notices that nobody reads. */
const verbose = (n: number) => people(n).map((logout) => ({ ...logout, reason: 'x'.repeat(2_000) }));

describe('a back end that watches', () => {
  it('subscribes by its secret, in the words that the hub’s own tests read', async () => {
    await watch({ from: 'now', cursor: { load: () => undefined, save: () => {} } }).ready;
    shelf.saved = hub.logout({ id: '01JD6ZKQ3V8M4T9XW2C5B7N0RE' }) && '01JD6ZKQ3V8M4T9XW2C5B7N0RE';
    await watch().ready;
    shelf.saved = undefined;
    await watch().ready;
    expect(hub.subscribed).toEqual([
      golden('subscribe as a back end, from now on'),
      golden('subscribe as a back end, from just after a logout'),
      golden('subscribe as a back end, from the beginning'),
    ]);
    expect(new Set(hub.protocols)).toEqual(new Set(['slo.v1']));
  });

  it('hears of one session, and of every session of a person', async () => {
    const [one] = hub.logout({}, { ...golden('slo-event for every session of a person'), id: idAt(5), sid: undefined, reason: undefined });
    await watch().ready;
    await until(() => expect(heard).toHaveLength(2));
    const iss = 'https://acme.eu.auth0.com/';
    expect(heard[0]).toEqual({ id: one, iss, scope: 'session', sid: 's-7f3a', sub: 'auth0|ada', source: 'app', reason: 'You signed out in Shop', iat: 1763712844 });
    expect(heard[1]).toEqual({ id: idAt(5), iss, scope: 'user', sub: 'auth0|ada', source: 'backchannel', iat: 1763712881 });
  });

  it('hands logouts to a session store, which goes by what they name and by when they were', async () => {
    const store = sqliteSessionStore(new Database(':memory:'), { now: () => NOON * 1000 });
    const people = { laptop: {}, phone: { createdAt: NOON + 9 }, grace: { sub: 'auth0|grace' } };
    for (const [id, person] of Object.entries(people)) await store.set(id, sessionOf({ sid: id, ...person }));
    await watch({}, store).ready;
    const left = async () => (await Promise.all(Object.keys(people).map(async (id) => ((await store.get(id)) ? id : '')))).join(' ').trim();
    hub.logout({ sid: 'grace', sub: 'auth0|grace' });
    await vi.waitFor(async () => expect(await left()).toBe('laptop phone'));
    hub.logout({ scope: 'user', sid: undefined, occurred_at: new Date(NOON * 1000).toISOString() });
    await vi.waitFor(async () => expect(await left()).toBe('phone'));
  });

  it('carries them out in order and one after the other', async () => {
    let atWork = 0;
    const done: string[] = [];
    await watch({}, async (logout) => {
      expect(++atWork).toBe(1);
      await new Promise(setImmediate);
      done.push(logout.id);
      atWork--;
    }).ready;
    const all = hub.logout(...people(50));
    await until(() => expect(done).toEqual(all));
  });

  it('saves its place and acknowledges only what is done', async () => {
    let finish = () => {};
    await watch({}, () => new Promise<void>((resolve) => (finish = resolve))).ready;
    const [id] = hub.logout({});
    await until(() => expect(finish).not.toThrow());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([shelf.saves, hub.acked]).toEqual([[], []]);
    await until(() => (finish(), expect([shelf.saves, hub.acked]).toEqual([[id], [id]])));
  });

  it('is held up by no slow cursor, which saves the latest only', async () => {
    let saved: () => void = () => {};
    const saves: string[] = [];
    const save = (id: string) => new Promise<void>((resolve) => (saves.push(id), (saved = resolve)));
    await watch({ cursor: { load: () => undefined, save } }).ready;
    const all = hub.logout(...people(100));
    await until(() => expect(ids()).toEqual(all));
    expect([saves, hub.acked]).toEqual([[all[0]], []]);
    saved();
    await until(() => expect(saves).toEqual([all[0], all[99]]));
    saved();
    await until(() => expect(hub.acked).toEqual(all));
  });
});

describe('a back end that is slow', () => {
  it('makes the hub wait instead of keeping all that comes, and is not taken for dead meanwhile', async () => {
    hub.heartbeat = 0.2;
    let go = () => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    await watch({}, async (logout) => {
      await gate;
      heard.push(logout);
    }).ready;
    const all = hub.logout(...verbose(20_000));
    await until(() => expect(hub.unsent()).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(hub.unsent()).toBeGreaterThan(0);
    go();
    await until(() => expect(heard).toHaveLength(20_000));
    expect(ids()).toEqual(all);
    expect([hub.subscribed.length, codes()]).toEqual([1, []]);
  });

  it('can be ended in the midst of it', async () => {
    const slow = watch({}, () => new Promise((resolve) => setTimeout(resolve, 1)));
    await slow.ready;
    const all = hub.logout(...verbose(20_000));
    await until(() => expect(shelf.saved).toBeDefined());
    expect(hub.unsent()).toBeGreaterThan(0);
    await slow.close();
    const done = all.indexOf(shelf.saved!) + 1;
    await watch().ready;
    await until(() => expect(heard).toHaveLength(all.length - done));
    expect(ids()).toEqual(all.slice(done));
  });
});

describe('when the line breaks', () => {
  it('a hub that is killed and comes back is asked for what was missed, and for nothing twice', async () => {
    await watch().ready;
    const first = hub.logout(...people(10));
    await until(() => expect(hub.acked).toEqual(first));
    await hub.kill();
    const missed = hub.logout(...people(10));
    await hub.start();
    await until(() => expect(hub.acked).toEqual([...first, ...missed]));
    expect(ids()).toEqual([...first, ...missed]);
    expect(new Set(codes())).toEqual(new Set(['disconnected']));
    expect(errors.some((error) => error.isFinal)).toBe(false);
  });

  it('ten thousand logouts are told once each, though the line is cut again and again', { timeout: 60_000 }, async () => {
    hub.logout(...people(10_000));
    await watch().ready;
    for (let cuts = 0; cuts < 10; cuts++) {
      const sofar = heard.length;
      await until(() => expect(heard.length).toBeGreaterThan(Math.min(sofar, 9_999)));
      hub.cut();
    }
    await until(() => expect(new Set(hub.acked).size).toBe(10_000));
    expect(ids()).toEqual(hub.log.map((logout) => logout['id']));
    expect([...new Set(hub.acked)]).toEqual(ids());
  });

  it('an acknowledgement that was lost with the line is made again', async () => {
    await watch().ready;
    hub.isDeaf = true;
    const all = hub.logout(...people(3));
    await until(() => expect(shelf.saved).toBe(all[2]));
    hub.isDeaf = false;
    hub.cut();
    await until(() => expect(hub.acked).toEqual(all));
    const [last] = hub.logout({});
    await until(() => expect(hub.acked).toEqual([...all, last]));
    hub.cut(4000);
    await until(() => expect(hub.subscribed).toHaveLength(3));
    const [next] = hub.logout({});
    await until(() => expect(hub.acked).toEqual([...all, last, next]));
  });

  it('a process that starts again goes on where its place was saved', async () => {
    const first = watch();
    const all = hub.logout(...people(20));
    await until(() => expect(heard).toHaveLength(20));
    await first.close();
    const missed = hub.logout(...people(10_000));
    await watch().ready;
    await until(() => expect(ids()).toEqual([...all, ...missed]));
  });

  it('from now on means from the first time, though no logout came before the line broke', async () => {
    hub.log.push({ ...golden('slo-event for one session'), id: idAt(Date.now() - 86_400_000) });
    hub.log.push({ ...golden('slo-event for one session'), id: idAt(Date.now() - 80_000_000) });
    await watch({ from: 'now' }).ready;
    await hub.kill();
    const missed = hub.logout({ sid: 'missed' });
    await hub.start();
    await until(() => expect(ids()).toEqual(missed));
    await until(() => expect(shelf.saved).toBe(missed[0]));
  });

  it('a hub that falls silent is left, and found again', async () => {
    [hub.heartbeat, hub.pings] = [0.05, false];
    await watch().ready;
    await until(() => expect(hub.subscribed.length).toBeGreaterThan(1));
    expect(errors[0]).toMatchObject({ code: 'disconnected', message: 'the hub has fallen silent' });
  });

  it('a hub that says no more than its heartbeat is not left', async () => {
    hub.heartbeat = 0.2;
    await watch().ready;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([hub.subscribed.length, codes()]).toEqual([1, []]);
  });

  it.each([1012, 4000, 4001, 4002, 4004, 4005, 1006])('a hub that closes with %i is asked again', async (code) => {
    await watch().ready;
    hub.cut(code === 1006 ? undefined : code);
    await until(() => expect(hub.subscribed).toHaveLength(2));
  });
});

describe('what goes wrong', () => {
  it('in carrying a logout out is told, and tried again before the next one', async () => {
    let failures = 3;
    await watch({}, (logout) => {
      if (logout.sid === 's0' && failures-- > 0) throw new Error('disk');
      heard.push(logout);
    }).ready;
    const all = hub.logout(...people(2));
    await until(() => expect(ids()).toEqual(all));
    expect(codes()).toEqual(['handler_failed', 'handler_failed', 'handler_failed']);
    expect(errors[0]).toMatchObject({ isFinal: false, cause: new Error('disk') });
  });

  it('in loading the place is told, and nothing is asked of the hub before it is known', async () => {
    let failures = 2;
    const load = () => (failures-- > 0 ? Promise.reject(new Error('disk')) : Promise.resolve(undefined));
    await watch({ cursor: { load, save: () => {} } }).ready;
    expect(codes()).toEqual(['cursor_failed', 'cursor_failed']);
  });

  it('in saving the place is told, and the hub hears of nothing that is not saved', async () => {
    let failures = 2;
    const save = (id: string) => (failures-- > 0 ? Promise.reject(new Error('disk')) : shelf.save(id));
    await watch({ cursor: { load: () => undefined, save } }).ready;
    const all = hub.logout(...people(3));
    await until(() => expect(hub.acked).toEqual(all));
    expect(shelf.saves).toEqual([all[2]]);
    expect(codes()).toEqual(['cursor_failed', 'cursor_failed']);
  });

  it('in the hub’s own words is passed over: what is no message, and a logout that names nobody', async () => {
    await watch().ready;
    for (const text of ['{', '5', 'null', '{"type":"news"}', '{"type":"slo-event"}']) hub.shout(text);
    const [bad, good] = hub.logout({ sid: undefined, scope: 'session' }, { sid: 'laptop' });
    await until(() => expect(ids()).toEqual([good]));
    expect(codes()).toEqual(['bad_event', 'bad_event']);
    await until(() => expect(hub.acked).toEqual([bad, good]));
  });

  it('in onError itself changes nothing', async () => {
    const onError = () => {
      throw new Error('logger');
    };
    await watch({ onError }).ready;
    hub.cut();
    await until(() => expect(hub.subscribed).toHaveLength(2));
  });
});

describe('a hub that refuses', () => {
  it('does not know the place: the caller hears unknown_cursor, and the hub is left alone', async () => {
    shelf.saved = idAt(1);
    await expect(watch().ready).rejects.toMatchObject({ code: 'unknown_cursor', isFinal: true });
    expect(codes()).toEqual(['unknown_cursor']);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(hub.subscribed).toHaveLength(1);
  });

  it.each([
    ['invalid_client', { type: 'error', error: 'invalid_token', code: 'invalid_client' }, 4501],
    ['not_allowed', { type: 'error', error: 'not_allowed', code: 'invalid_origin' }, 4503],
    ['bad_message', { type: 'error', error: 'bad_message', code: 'bad_json' }, 4500],
    ['refused', { type: 'news' }, 4599],
  ])('for good is not asked again, and says why: %s', async (code, frame, closeCode) => {
    hub.refusal = { frame, code: closeCode };
    const refused = watch();
    await expect(refused.ready).rejects.toMatchObject({ code, isFinal: true });
    await refused.close();
    expect(hub.subscribed).toHaveLength(1);
    expect(JSON.stringify(errors.map((error) => [error.message, error.cause]))).not.toContain(SECRET);
  });
});

describe('the end', () => {
  it('waits for the logout that is being carried out, saves and acknowledges it, and takes no other', async () => {
    let finish: (() => void) | undefined;
    const open = watch({}, (logout) => new Promise<void>((resolve) => (heard.push(logout), (finish = resolve))));
    const [first] = hub.logout(...people(5));
    await until(() => expect(finish).toBeDefined());
    const closed = open.close();
    finish?.();
    await closed;
    expect([ids(), shelf.saves]).toEqual([[first], [first]]);
    await until(() => expect([hub.acked, hub.open]).toEqual([[first], 0]));
  });

  it('comes by the signal too, and may have come before', async () => {
    const ends = new AbortController();
    await watch({ signal: ends.signal }).ready;
    ends.abort();
    await until(() => expect(hub.open).toBe(0));
    await expect(watch({ signal: ends.signal }).ready).rejects.toMatchObject({ code: 'closed' });
    expect(hub.subscribed).toHaveLength(1);
  });

  it('comes at once though the hub takes the connection and then says nothing at all', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const taken = once(server, 'connection') as Promise<[Socket]>;
    const open = watch({ hub: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const [socket] = await taken;
    await open.close();
    socket.destroy();
    server.close();
    expect(codes()).toEqual([]);
  });

  it('comes at once: while the hub is away, mute, or what it said is being tried again', async () => {
    hub.isMute = true;
    const mute = watch();
    await until(() => expect(hub.subscribed).toHaveLength(1));
    await mute.close();
    hub.isMute = false;
    const failing = watch({ backoff: { min: 60_000, max: 60_000 } }, () => Promise.reject(new Error('disk')));
    hub.logout({});
    await until(() => expect(codes()).toEqual(['handler_failed']));
    await failing.close();
    expect(shelf.saves).toEqual([]);
    await hub.kill();
    const away = watch({ backoff: { min: 60_000, max: 60_000 } });
    await until(() => expect(codes()).toContain('disconnected'));
    await away.close();
    await expect(away.ready).rejects.toMatchObject({ code: 'closed' });
  });
});

it.each([
  [{ hub: 'http://hub.example' }],
  [{ hub: 'ftp://localhost' }],
  [{ hub: 'hub.example' }],
  [{ hub: 'https://hub.example', clientId: '' }],
  [{ hub: 'https://hub.example', secret: '' }],
])('options that make no sense are refused: %o', (options) => {
  expect(() => watchLogouts({ clientId: 'desk', secret: SECRET, ...options }, () => {})).toThrow(TypeError);
});
