import { describe, expect, it } from 'vitest';
import { App, settle } from '../test/app.js';
import { FakeHub, golden, HUB, idToken } from '../test/hub.js';
import type { FakeSocket } from '../test/connections.js';
import { Origin } from '../test/page.js';
import { closeCodeOf } from './wire.js';

interface Row {
  readonly name: string;
  readonly direction: 'client' | 'hub';
  readonly frame: Readonly<Record<string, unknown>>;
}

const frames = golden<Row[]>('frames.json');
const frame = (name: string) => frames.find((row) => row.name === name)!.frame;
const members = (value: object) => Object.keys(value).sort();

/** Everything that a page sends on its socket, from the start to the acknowledgement. */
async function sentByPage(): Promise<Array<Record<string, unknown>>> {
  const hub = new FakeHub();
  hub.idleTimeout = 900;
  const sent: Array<Record<string, unknown>> = [];
  const heard = hub.heard.bind(hub);
  hub.heard = (message, sender) => {
    sent.push(message);
    heard(message, sender);
  };
  const app = await App.open(hub, { token: frame('subscribe by token')['token'] as string });
  if (app.state !== 'connected') throw new Error(`${app.state}: ${JSON.stringify(app.errors)}`);
  app.page.press();
  hub.open[0]!.send(frame('slo-event for one session'));
  await settle();
  return sent;
}

describe('the golden frames', () => {
  it('what the page sends is what they say', async () => {
    const sent = await sentByPage();
    expect(sent).toEqual([frame('subscribe by token'), frame('activity'), frame('ack')]);
  });

  it.each(frames.filter(({ frame }) => frame['type'] === 'slo-event'))('$name: every member reaches the app', async ({ frame }) => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.open[0]!.send(frame);
    await settle();
    const { type: _, occurred_at: occurredAt, ...rest } = frame;
    expect(app.told).toEqual([{ ...rest, occurredAt }]);
  });

  it.each(frames.filter(({ frame }) => frame['type'] === 'subscribed' && 'resume' in frame))(
    '$name: connects, keeps the ticket, and reports activity if it is wanted',
    async ({ frame }) => {
      const hub = new FakeHub();
      hub.onSubscribe = (_, connection) => (connection.send(frame), true);
      const app = await App.open(hub);
      expect(app.state).toBe('connected');
      app.page.press();
      expect(hub.activities).toBe('idle_timeout_seconds' in frame ? 1 : 0);
      app.page.goOnline();
      await settle();
      expect(hub.presented).toEqual([app.token, frame['resume']]);
    },
  );

  it('idle-warning and idle-cancelled are passed on', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    const heard: unknown[] = [];
    app.client.on('idle-warning', ({ secondsLeft }) => heard.push(secondsLeft));
    app.client.on('idle-cancelled', () => heard.push('cancelled'));
    hub.open[0]!.send(frame('idle-warning'));
    hub.open[0]!.send(frame('idle-cancelled'));
    await settle();
    expect(heard).toEqual([60, 'cancelled']);
  });

  it.each(['websocket', 'sse'] as const)('a rehearsal is acknowledged (%s), and the person stays signed in', async (transport) => {
    const hub = new FakeHub();
    let ended = 0;
    const origin = new Origin();
    const app = await App.open(hub, { transports: [transport], origin, endSession: async () => void ended++ });
    const other = await App.open(hub, { transports: [transport], origin });
    const kept = app.page.localStorage.getItem(`slo-hub:${HUB}`);
    hub.rehearse(frame('rehearsal'));
    await settle();
    const ack = frame('ack of a rehearsal')['id'];
    expect(hub.acked).toEqual([ack, ack]);
    expect([app.state, other.state]).toEqual(['connected', 'connected']);
    expect([app.told, other.told, ended, app.errors]).toEqual([[], [], 0, []]);
    expect(kept && app.page.localStorage.getItem(`slo-hub:${HUB}`)).toBe(kept);

    const id = hub.endAtIssuer();
    await settle();
    expect(app.told.map((event) => event.id)).toEqual([id]);
    expect(hub.acked.slice(2)).toEqual([id, id]);
  });

  it.each(['websocket', 'sse'] as const)('what a later hub says is passed over (%s)', async (transport) => {
    const hub = new FakeHub();
    const app = await App.open(hub, { transports: [transport] });
    hub.open[0]!.send({ type: 'something-new', id: '01JD6ZN5T2W8E4R7Y1V3C6B9KM' });
    await settle();
    expect([app.state, app.told, app.errors, hub.acked]).toEqual(['connected', [], [], []]);
    expect(hub.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('an error says which rule was broken', async () => {
    const hub = new FakeHub();
    hub.onSubscribe = (_, connection) => {
      connection.send(frame('error before a close'));
      connection.close(4501);
      return true;
    };
    const app = await App.open(hub);
    expect(app.errors.map(({ code }) => code)).toEqual(['invalid_token']);
    expect(app.errors[0]!.message).toContain('bad_signature');
  });

  it('the fake hub speaks as they do', async () => {
    const hub = new FakeHub();
    hub.idleTimeout = 900;
    const frames: object[] = [];
    hub.connections.push = (connection) => {
      const { send } = connection as FakeSocket;
      connection.send = function (message) {
        if (typeof message === 'object') frames.push(message);
        send.call(connection as FakeSocket, message);
      };
      return Array.prototype.push.call(hub.connections, connection);
    };
    await App.open(hub);
    hub.signOutElsewhere('s1', { reason: 'Bye' });
    await App.open(hub, { token: 'rubbish' });
    expect(frames.map(members)).toEqual([
      members(frame('subscribed where idle sign-out is on')),
      members(frame('slo-event for one session')),
      members(frame('error before a close')),
    ]);
  });
});

describe('a refusal of an event stream', () => {
  it.each([
    [401, 'token_expired', 4003],
    [401, 'bad_signature', 4501],
    [403, 'invalid_origin', 4503],
    [429, 'slow_down', 1006],
    [503, undefined, 1006],
    [404, undefined, 1006],
  ])('%i %s counts as %i', (status, code, expected) => {
    expect(closeCodeOf(status, code)).toBe(expected);
  });

  it('without a body that says why is one all the same', async () => {
    const hub = new FakeHub();
    hub.onRequest = () => new Response('<html>Forbidden</html>', { status: 403 });
    const app = await App.open(hub, { transports: ['sse'] });
    expect(app.state).toBe('closed');
    expect(app.errors.map(({ code }) => code)).toEqual(['refused']);
  });

  it('that is the hub\'s own trouble is tried again', async () => {
    const hub = new FakeHub();
    hub.onRequest = () => Response.json({ error: 'temporarily_unavailable', code: 'try_later' }, { status: 503 });
    const app = await App.open(hub, { transports: ['sse'] });
    expect([app.state, app.errors.length]).toEqual(['waiting', 0]);
  });
});

describe('the address of the hub', () => {
  it.each([
    [HUB, 'wss://hub.example/ws'],
    [`${HUB}/`, 'wss://hub.example/ws'],
    ['http://localhost:4000', 'ws://localhost:4000/ws'],
    ['https://example.com/http/slo/', 'wss://example.com/http/slo/ws'],
  ])('%s', async (address, expected) => {
    const hub = new FakeHub();
    await App.open(hub, { hub: address as never, token: idToken() });
    expect((hub.connections[0] as FakeSocket).url).toBe(expected);
  });
});
