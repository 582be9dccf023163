import { describe, expect, it, vi } from 'vitest';
import { App, pass, settle, sleep } from '../test/app.js';
import { FakeHub, HUB, idToken } from '../test/hub.js';
import { Client } from './client.js';
import { SloError } from './errors.js';

const HOUR = 3_600_000;

describe('nothing but an slo-event signs a person out', () => {
  it('a hub that is down does not', async () => {
    const hub = new FakeHub();
    hub.isDown = true;
    const app = await App.open(hub);
    await pass(2 * HOUR);
    expect(app.told).toEqual([]);
    expect(app.state).not.toBe('signed-out');
  });

  it('nor does a hub that dies, a refused token, a token that cannot be had, or none', async () => {
    const hub = new FakeHub();
    const dead = await App.open(hub);
    hub.crash();
    hub.isDown = false;
    const refused = await App.open(hub, { token: 'no token at all' });
    const thrown = await App.open(hub, { getToken: () => Promise.reject(new Error('login_required')) });
    const none = await App.open(hub, { token: null });
    const slow = await App.open(hub, { getToken: () => new Promise<string>(() => {}) });
    await pass(HOUR);
    for (const app of [dead, refused, thrown, none, slow]) expect(app.told).toEqual([]);
    expect([dead, refused, none].map((app) => app.state)).toEqual(['connected', 'closed', 'idle']);
    expect(thrown.errors[0]?.code).toBe('token_failed');
    expect((thrown.errors[0]?.cause as Error).message).toBe('login_required');
  });

  it('nor do messages that are not of the protocol', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    const socket = hub.open[0] as unknown as { onmessage(event: { data: unknown }): void };
    for (const data of ['', 'null', '7', '[]', '{', '{"type":"slo-event"}', '{"type":"new"}', new ArrayBuffer(3)]) {
      socket.onmessage({ data });
    }
    await settle();
    expect(app.state).toBe('connected');
  });
});

describe('signed out elsewhere', () => {
  it('tells why, and acknowledges after the handler', async () => {
    const hub = new FakeHub();
    const order: string[] = [];
    const app = await App.open(hub, {
      endSession: async () => void order.push('local'),
      onSignedOut: async () => {
        order.push(`handler, acked: ${hub.acked.length}`);
        await Promise.resolve();
      },
    });
    app.client.on('signed-out', (event) => {
      app.told.push(event);
      order.push('listener');
    });
    const id = hub.signOutElsewhere('s1', { reason: 'You signed out in Shop' });
    await settle();
    expect(order).toEqual(['local', 'handler, acked: 0', 'listener']);
    expect(app.told).toEqual([
      {
        id,
        issuer: 'https://acme.eu.auth0.com/',
        scope: 'session',
        sid: 's1',
        sub: 'ada',
        source: 'app',
        reason: 'You signed out in Shop',
        occurredAt: '2025-11-21T08:00:00.000Z',
      },
    ]);
    expect(hub.acked).toEqual([id]);
    expect(app.state).toBe('signed-out');
  });

  it('is told at once where the session was over already', async () => {
    const hub = new FakeHub();
    const token = idToken();
    hub.signOutElsewhere();
    const app = await App.open(hub, { token });
    expect(await app.client.ready).toBe('signed-out');
    expect(app.told).toHaveLength(1);
    expect(app.states).toEqual(['connecting', 'signed-out']);
  });

  it('by event stream, and acknowledges by a request', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { transports: ['sse'] });
    const id = hub.signOutElsewhere();
    await settle();
    expect(app.told.map((event) => event.id)).toEqual([id]);
    expect(hub.acked).toEqual([id]);
    const ack = hub.requests.at(-1)!;
    expect(ack.url).toBe(`${HUB}/api/v1/logouts/${id}/acks`);
    expect(ack.headers.get('authorization')).toMatch(/^Bearer slo1\./);
  });

  it('is not acknowledged while the app\'s own session lives on', async () => {
    const hub = new FakeHub();
    const throwing = () => {
      throw new Error('storage is full');
    };
    const handler = await App.open(hub, { onSignedOut: throwing });
    const local = await App.open(hub, { endSession: () => Promise.reject(new Error('no')) });
    hub.signOutElsewhere();
    await settle();
    expect(hub.acked).toEqual([]);
    expect(local.told).toHaveLength(1);
    for (const app of [handler, local]) expect(app.errors.map((error) => error.code)).toEqual(['handler_failed']);
  });

  it('shows the person after 1.5 s even if the local sign-out hangs, and acknowledges when it is done', async () => {
    const hub = new FakeHub();
    let end = (): void => {};
    const app = await App.open(hub, { endSession: () => new Promise<void>((resolve) => (end = resolve)) });
    const id = hub.signOutElsewhere();
    await pass(1_400);
    expect(app.told).toEqual([]);
    await pass(100);
    expect(app.told).toHaveLength(1);
    expect(hub.acked).toEqual([]);
    await pass(10_000);
    hub.open[0]!.close(4510); // The hub has waited 5 s.
    await settle();
    end();
    await settle();
    expect(hub.acked).toEqual([id]);
  });

  it('the same id twice is one event', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.signOutElsewhere();
    const [connection] = hub.open;
    connection!.send(hub.factFor(app.token!)!);
    connection!.send(hub.factFor(app.token!)!);
    await settle();
    expect(app.told).toHaveLength(1);
  });

  it('a new login starts afresh', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.signOutElsewhere();
    await pass(10_000);
    app.token = idToken({ nonce: 'n2' });
    app.client.start();
    await settle();
    expect(await app.client.ready).toBe('connected');
    expect(hub.presented).toHaveLength(2);
    expect(hub.presented[1]).toBe(app.token);
    await pass(5_000);
    hub.signOutElsewhere();
    await settle();
    expect(app.told).toHaveLength(2);
  });
});

describe('listeners run each in its own try', () => {
  it('one that throws disturbs nobody', async () => {
    const hub = new FakeHub();
    const app = new App(hub);
    const heard: string[] = [];
    app.client.on('state', () => {
      throw new Error('mine');
    });
    app.client.on('error', () => {
      throw new Error('mine too');
    });
    app.client.on('state', ({ state, previous }) => heard.push(`${previous} > ${state}`));
    await settle();
    expect(heard).toEqual(['connecting > connected']);
    expect(app.page.reportError).toHaveBeenCalledWith(new Error('mine'));
  });

  it('and one that stopped listening hears no more', async () => {
    const hub = new FakeHub();
    const app = new App(hub);
    const listener = vi.fn();
    const stop = app.client.on('state', listener);
    stop();
    stop();
    await settle();
    expect(listener).not.toHaveBeenCalled();
  });

  it('an error that nobody listens for is shown on the console', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    const hub = new FakeHub();
    const { page } = new App(hub, { autoStart: false });
    new Client({ hub: HUB, getToken: () => Promise.reject(new Error('no')) }, page.asPage);
    await settle();
    expect(shown).toHaveBeenCalledWith(expect.objectContaining({ name: 'SloError', code: 'token_failed' }));
  });
});

describe('ready', () => {
  it.each([
    ['connected', {}],
    ['idle', { token: null }],
    ['closed', { token: 'rubbish' }],
  ] as const)('settles with the first answer: %s', async (state, options) => {
    const app = new App(new FakeHub(), options);
    expect(await app.client.ready).toBe(state);
  });

  it('settles after 1.5 s when there is none', async () => {
    const hub = new FakeHub();
    hub.isMute = true;
    const app = await App.open(hub);
    const settled = vi.fn();
    void app.client.ready.then(settled);
    await pass(1_499);
    expect(settled).not.toHaveBeenCalled();
    await pass(1);
    expect(settled).toHaveBeenCalledWith('connecting');
  });
});

describe('options', () => {
  it.each(['', 'logout.example', '/slo'])('hub %j is refused', (hub) => {
    const { page } = new App(new FakeHub(), { autoStart: false });
    const create = () => new Client({ hub, getToken: () => null }, page.asPage);
    expect(create).toThrow(SloError);
    expect(create).toThrow(expect.objectContaining({ code: 'bad_option' }) as Error);
  });

  it('autoStart: false waits for start; stop lets go and signs nobody out', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { autoStart: false });
    expect(hub.presented).toEqual([]);
    app.client.start().start();
    await settle();
    expect(hub.open).toHaveLength(1);
    app.client.stop();
    await settle();
    expect([app.state, hub.open.length, app.told.length]).toEqual(['closed', 0, 0]);
  });

  it('debug lines tell what happens, and hold no token', async () => {
    const hub = new FakeHub();
    const lines: unknown[] = [];
    const app = await App.open(hub, { debug: { debug: (...line) => lines.push(...line) } });
    hub.signOutElsewhere();
    await settle();
    const text = JSON.stringify(lines);
    expect(text).toContain('connected');
    expect(text).not.toContain(app.token);
    expect(text).not.toContain('slo1.');
  });
});

describe('activity', () => {
  it('is reported at most once a minute, where the hub signs idle people out', async () => {
    const hub = new FakeHub();
    hub.idleTimeout = 900;
    const app = await App.open(hub);
    for (let second = 0; second < 125; second++) {
      app.page.press();
      await pass(1_000);
    }
    expect(hub.activities).toBe(3);
  });

  it('is not where it does not, or the app does not want it', async () => {
    const hub = new FakeHub();
    const plain = await App.open(hub);
    hub.idleTimeout = 900;
    const off = await App.open(hub, { activity: false });
    plain.page.press();
    off.page.press();
    await settle();
    expect(hub.activities).toBe(0);
  });

  it('goes by a request where the channel is an event stream', async () => {
    const hub = new FakeHub();
    hub.idleTimeout = 900;
    const app = await App.open(hub, { transports: ['sse'] });
    app.page.press();
    await settle();
    expect(hub.requests.at(-1)!.url).toBe(`${HUB}/api/v1/session/activity`);
    expect(hub.activities).toBe(1);
  });

  it('warnings are passed on', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    const heard: unknown[] = [];
    app.client.on('idle-warning', (event) => heard.push(event));
    app.client.on('idle-cancelled', (event) => heard.push(event));
    hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    hub.open[0]!.send({ type: 'idle-cancelled' });
    await settle();
    expect(heard).toEqual([{ secondsLeft: 60, ask: expect.any(Function) }, {}]);
  });
});

describe('a machine that slept', () => {
  it('is noticed by its clock, and the hub is asked first', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true });
    const mute = hub.open[0]!;
    mute.isLive = false; // Its line is dead, and nobody has said so.
    sleep(8 * HOUR);
    hub.signOutElsewhere();
    await vi.advanceTimersByTimeAsync(20_000);
    await settle();
    expect(app.told).toHaveLength(1);
    expect(hub.presented[1]).toMatch(/^slo1\./);
  });

  it('a tab that is slowed down in the background has not slept', async () => {
    const hub = new FakeHub();
    await App.open(hub);
    for (let minute = 0; minute < 10; minute++) {
      sleep(40_000);
      await pass(20_000);
    }
    expect(hub.presented).toHaveLength(1);
  });
});
