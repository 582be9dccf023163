import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HUB = 'http://localhost:4000';
const ID = '01JABCDEFGHJKMNPQRSTVWXYZ0';
const TICKET = 'slo1.ticket-of-the-session.tag';

let receipts;
before(async () => {
  const entry = fileURLToPath(new URL('../src/receipt.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  receipts = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
});

let tab;
beforeEach(() => {
  tab = new Tab();
});

/** A tab of a browser, with a clock that only waiting moves, and a hub that answers as it is told. */
class Tab {
  kept = new Map();
  requests = [];
  time = 1_000_000;
  /** Called for each request of the receipt. */
  answer = () => Response.json({ deliveries: [] });
  hub = HUB;
  storage = {
    getItem: (key) => this.kept.get(key) ?? null,
    setItem: (key, value) => this.kept.set(key, value),
    removeItem: (key) => this.kept.delete(key),
  };
  now = () => this.time;
  wait = async (ms) => void (this.time += ms);
  fetch = async (url, init = {}) => {
    this.requests.push({ url, headers: new Headers(init.headers), at: this.time });
    if (init.method === 'POST') return Response.json({ id: ID }, { status: this.signOutStatus ?? 201 });
    return this.answer(this.requests.length - 1);
  };

  signOut(credential, address = `${HUB}/api/v1/logouts`) {
    return receipts.notingSignOuts(this)(address, { method: 'POST', headers: { Authorization: `Bearer ${credential}` } });
  }

  /** What the page was shown, one entry for each time. */
  async follow({ hidden = new AbortController().signal } = {}) {
    this.requests = [];
    const shown = [];
    await receipts.followReceipt(this, (rows, isLast) => shown.push({ rows, isLast }), hidden);
    return shown;
  }
}

const row = (name, status) => ({ client_id: name, name, via: 'websocket', status, attempts: 1, updated_at: '2026-01-01T12:00:00.000Z' });

test('after a sign-out the receipt is asked for by its id, with the ticket in a header and never in the address', async () => {
  await tab.signOut(TICKET);
  tab.answer = () => Response.json({ deliveries: [row('Notes', 'acknowledged'), row('Shop', 'acknowledged')] });

  const shown = await tab.follow();

  const [{ url, headers }] = tab.requests;
  assert.equal(url, `${HUB}/api/v1/logouts/${ID}`);
  assert.equal(headers.get('authorization'), `Bearer ${TICKET}`);
  assert.deepEqual(shown.map(({ isLast }) => isLast), [false, true]);
  assert.deepEqual(shown[0].rows[0], { name: 'Notes', via: 'websocket', status: 'acknowledged', updatedAt: '2026-01-01T12:00:00.000Z' });
});

test('the sign-out’s own answer reaches the SDK unread', async () => {
  const response = await tab.signOut(TICKET);
  assert.deepEqual(await response.json(), { id: ID });
});

test('an ID token is never kept, nor anything of a sign-out that the hub refused or of another request', async () => {
  await tab.signOut('eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln');
  await tab.signOut(TICKET, `${HUB}/api/v1/session/activity`);
  tab.signOutStatus = 401;
  await tab.signOut(TICKET);
  assert.equal(tab.kept.size, 0);
  assert.equal(receipts.hasReceipt(tab), false);
  assert.deepEqual(await tab.follow(), []);
});

test('a storage that refuses does not disturb the sign-out', async () => {
  tab.storage.setItem = () => {
    throw new Error('QuotaExceededError');
  };
  assert.equal((await tab.signOut(TICKET)).status, 201);
});

test('it asks once a second until every app has answered, and then forgets the ticket', async () => {
  await tab.signOut(TICKET);
  const states = ['pending', 'delivered', 'acknowledged'];
  tab.answer = (turn) => Response.json({ deliveries: [row('Notes', 'failed'), row('Desk', states[turn] ?? 'acknowledged')] });

  const shown = await tab.follow();

  assert.deepEqual(shown.map(({ rows, isLast }) => [rows[1].status, isLast]), [
    ['pending', false],
    ['delivered', false],
    ['acknowledged', false],
    ['acknowledged', true],
  ]);
  assert.deepEqual(tab.requests.map(({ at }) => at - tab.requests[0].at), [0, 1000, 2000, 3000]);
  assert.equal(tab.kept.size, 0);
});

test('an app that the hub hears of a moment later is waited for too', async () => {
  await tab.signOut(TICKET);
  const notes = row('Notes', 'acknowledged');
  const answers = [[notes], [notes, row('Desk', 'pending')], [notes, row('Desk', 'acknowledged')], [notes, row('Desk', 'acknowledged')]];
  tab.answer = (turn) => Response.json({ deliveries: answers[turn] });
  const shown = await tab.follow();
  assert.deepEqual(shown.map(({ rows, isLast }) => [rows.length, isLast]), [[1, false], [2, false], [2, false], [2, true]]);
});

test('it gives up after 30 seconds, and shows who has not confirmed', async () => {
  await tab.signOut(TICKET);
  tab.answer = () => Response.json({ deliveries: [row('Desk', 'pending')] });
  const shown = await tab.follow();
  const { rows, isLast } = shown.at(-1);
  assert.deepEqual([rows[0].status, isLast], ['pending', true]);
  assert.equal(tab.requests.length, 31);
  assert.equal(tab.requests.at(-1).at - tab.requests[0].at, 30_000);
  assert.equal(tab.kept.size, 0);
});

test('a hub that is away for a moment is asked again, and what was shown stays', async () => {
  await tab.signOut(TICKET);
  tab.answer = (turn) => {
    if (turn === 0) return Response.json({ deliveries: [row('Desk', 'pending')] });
    if (turn === 1) throw new TypeError('fetch failed');
    if (turn === 2) return new Response('', { status: 503 });
    return Response.json({ deliveries: [row('Desk', 'acknowledged')] });
  };
  const shown = await tab.follow();
  assert.deepEqual(shown.map(({ rows }) => rows[0].status), ['pending', 'pending', 'pending', 'acknowledged', 'acknowledged']);
});

test('when nobody looks any more nothing is asked or told, and whoever looks again is shown all of it', async () => {
  await tab.signOut(TICKET);
  const looking = new AbortController();
  tab.answer = (turn) => {
    if (turn === 1) looking.abort();
    return Response.json({ deliveries: [row('Desk', 'pending')] });
  };
  assert.equal((await tab.follow({ hidden: looking.signal })).length, 1);
  assert.equal(tab.requests.length, 2);

  tab.answer = () => Response.json({ deliveries: [row('Desk', 'acknowledged')] });
  const shown = await tab.follow();
  assert.deepEqual(shown.map(({ rows, isLast }) => [rows[0].status, isLast]), [['acknowledged', false], ['acknowledged', true]]);
});

test('a refusal is not asked twice', async () => {
  for (const status of [401, 403, 404]) {
    await tab.signOut(TICKET);
    tab.answer = () => new Response('', { status });
    assert.deepEqual(await tab.follow(), [{ rows: [], isLast: true }]);
    assert.equal(tab.requests.length, 1);
    assert.equal(tab.kept.size, 0);
  }
});

test('what was kept is of no use after ten minutes, or after a sign-in', async () => {
  await tab.signOut(TICKET);
  tab.time += 10 * 60 * 1000;
  assert.equal(receipts.hasReceipt(tab), false);
  assert.equal(tab.kept.size, 0);
  await tab.signOut(TICKET);
  receipts.forgetReceipt(tab);
  assert.equal(receipts.hasReceipt(tab), false);
});
