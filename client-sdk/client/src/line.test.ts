import { describe, expect, it, vi } from 'vitest';
import { App, pass, settle, sleep } from '../test/app.js';
import { FakeHub, golden, idToken } from '../test/hub.js';
import { backoffMs } from './backoff.js';

const HOUR = 3_600_000;

describe('a reconnect presents what the tab already holds before any fresh token is fetched', () => {
  it('presents the resume ticket, and asks the app for nothing', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.open[0]!.close(4000);
    await pass(500);
    expect(hub.presented).toEqual([app.token, expect.stringMatching(/^slo1\./)]);
    expect(app.asked).toEqual(['connect']);
    expect(app.states).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'connected']);
  });

  it('presents the newest ticket that it was given', async () => {
    const hub = new FakeHub();
    await App.open(hub);
    for (const _ of [1, 2]) {
      hub.open[0]!.close(4000);
      await pass(1_000);
    }
    expect(hub.presented[1]).not.toBe(hub.presented[2]);
  });

  it('presents the token it had, where there is no ticket yet', async () => {
    const hub = new FakeHub();
    hub.isDown = true;
    const first = idToken();
    const app = await App.open(hub, { token: first });
    await pass(10_000);
    app.token = idToken({ iat: Date.now() / 1000 });
    hub.isDown = false;
    await pass(30_000);
    expect(app.state).toBe('connected');
    expect(hub.presented).toEqual([first]);
    expect(app.asked).toEqual(['connect']);
  });

  it('so a token refreshed meanwhile does not hide a logout that was missed', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.crash();
    await pass(60_000);
    const id = hub.signOutElsewhere();
    await pass(60_000);
    app.token = idToken({ iat: Date.now() / 1000 });
    hub.isDown = false;
    await pass(60_000);
    expect(app.told.map((event) => event.id)).toEqual([id]);
  });
});

describe('only after token_expired is the app asked for a fresh token, once an attempt', () => {
  it('asks once, and connects with what it gets', async () => {
    const hub = new FakeHub();
    const asked: string[] = [];
    const app = await App.open(hub, {
      getToken: ({ reason }) => {
        asked.push(reason);
        return reason === 'rejected' ? idToken() : idToken({ exp: 0 });
      },
    });
    expect(app.state).toBe('connected');
    expect(asked).toEqual(['connect', 'rejected']);
    expect(hub.presented).toHaveLength(2);
  });

  it('by event stream as well', async () => {
    const hub = new FakeHub();
    const asked: string[] = [];
    const app = await App.open(hub, {
      transports: ['sse'],
      getToken: ({ reason }) => {
        asked.push(reason);
        return reason === 'rejected' ? idToken() : idToken({ exp: 0 });
      },
    });
    expect(app.state).toBe('connected');
    expect(asked).toEqual(['connect', 'rejected']);
  });

  it('waits between attempts when the fresh one is refused too', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { token: idToken({ exp: 0 }) });
    expect(app.asked).toEqual(['connect', 'rejected']);
    expect(app.state).toBe('waiting');
    await pass(120_000);
    expect(app.asked.slice(2).every((reason) => reason === 'rejected')).toBe(true);
    expect(app.asked.length).toBeLessThan(20);
    expect(app.told).toEqual([]);
  });

  it('presents an expired ticket first: its session may be over', async () => {
    const hub = new FakeHub();
    hub.ticketLife = 3600;
    const app = await App.open(hub);
    hub.crash();
    sleep(5 * HOUR);
    hub.isDown = false;
    const id = hub.signOutElsewhere();
    app.token = idToken({ iat: Date.now() / 1000 + 60 });
    await pass(60_000);
    expect(app.told.map((event) => event.id)).toEqual([id]);
    expect(app.asked).toEqual(['connect']);
  });

  it('asks for the app\'s token when the hub has forgotten its own ticket', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.onSubscribe = (credential, connection) => {
      if (!credential.startsWith('slo1.')) return false;
      connection.refuse(4501, 'invalid_token', 'bad_signature');
      return true;
    };
    hub.open[0]!.close(1012);
    await pass(10_000);
    expect(app.state).toBe('connected');
    expect(app.asked).toEqual(['connect', 'rejected']);
    expect(app.errors).toEqual([]);
  });
});

describe('close codes 4000 to 4499 and all others: come back; 4500 to 4999: stay away', () => {
  interface Row { readonly code: number; readonly name: string; readonly return: boolean }

  for (const { code, name, return: returns } of golden<Row[]>('close-codes.json')) {
    it(`${code} ${name}: ${returns ? 'comes back' : 'stays away'}`, async () => {
      const hub = new FakeHub();
      const app = await App.open(hub);
      const before = hub.presented.length;
      if (name === 'logged_out') {
        // As the hub does it: the event, the acknowledgement, and then this code.
        hub.signOutElsewhere();
      } else if (name === 'invalid_token') {
        // Of the app's token: its ticket is forgotten first.
        hub.onSubscribe = (_, connection) => (connection.refuse(code, name, 'bad_signature'), true);
        hub.open[0]!.close(1012);
      } else {
        hub.open[0]!.refuse(code, name, name);
      }
      await pass(300_000);
      expect(hub.presented.length > before).toBe(returns || name === 'invalid_token');
      expect(app.state).toBe(returns ? 'connected' : name === 'logged_out' ? 'signed-out' : 'closed');
      if (!returns && name !== 'logged_out') expect(app.errors.map((error) => error.code)).toEqual([name]);
      expect(app.told).toHaveLength(name === 'logged_out' ? 1 : 0);
      expect(hub.open).toHaveLength(returns ? 1 : 0);
    });
  }

  it('comes back after codes that it does not know, and stays away after those above 4500', async () => {
    for (const code of [1000, 1001, 1006, 1011, 3000, 4321]) {
      const hub = new FakeHub();
      const app = await App.open(hub);
      hub.open[0]!.close(code);
      await pass(30_000);
      expect(app.state, String(code)).toBe('connected');
    }
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.open[0]!.close(4777);
    await pass(300_000);
    expect(app.state).toBe('closed');
    expect(app.errors.map((error) => error.code)).toEqual(['refused']);
  });

  it('logged_out without its slo-event signs nobody out, and the hub is asked again', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.onSubscribe = (_, connection) => (connection.refuse(4510, 'logged_out', 'logged_out'), true);
    hub.open[0]!.close(4510);
    await pass(120_000);
    expect(app.told).toEqual([]);
    expect(app.state).toBe('waiting');
    expect(hub.presented.length).toBeLessThan(20);
    hub.onSubscribe = undefined;
    hub.signOutElsewhere();
    await pass(60_000);
    expect(app.told).toHaveLength(1);
  });

  it('does not come back to a hub that refused it for good, whatever happens to the page', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.open[0]!.refuse(4503, 'not_allowed', 'invalid_origin');
    await settle();
    app.page.goOnline();
    app.page.leave();
    app.page.comeBack();
    await pass(HOUR);
    expect(hub.presented).toHaveLength(1);
    expect(app.state).toBe('closed');
    app.client.start();
    await settle();
    expect(app.state).toBe('connected');
  });
});

describe('a server restart must not bring all tabs back in one second', () => {
  it('draws each wait evenly from nothing to a bound that doubles', () => {
    expect(backoffMs(0, 500, 30_000, 0)).toBe(0);
    expect(backoffMs(0, 500, 30_000, 0.5)).toBe(250);
    expect(backoffMs(3, 500, 30_000, 0.999)).toBeCloseTo(3996);
    expect(backoffMs(9, 500, 30_000, 1)).toBe(30_000);
    expect(backoffMs(5_000, 500, 30_000, 1)).toBe(30_000);
  });

  it.each([1012, 1006, 4005])('spreads tabs that were live over 8 s, after %i', async (code) => {
    const returned: number[] = [];
    for (let tab = 0; tab < 40; tab++) {
      const hub = new FakeHub();
      await App.open(hub);
      vi.mocked(Math.random).mockReturnValue(tab / 40);
      hub.open[0]!.close(code);
      const lost = Date.now();
      while (hub.presented.length < 2) await vi.advanceTimersByTimeAsync(100);
      returned.push(Date.now() - lost);
    }
    const inOneSecond = returned.filter((ms) => ms <= 1_000).length;
    expect(inOneSecond).toBeLessThan(8);
    expect(Math.max(...returned)).toBeLessThan(8_100);
  });

  it('resets its counter only after a minimum uptime', async () => {
    const hub = new FakeHub();
    await App.open(hub);
    const gaps: number[] = [];
    const loseAt = async (uptime: number) => {
      await pass(uptime);
      const tries = hub.presented.length;
      hub.open[0]!.close(4000);
      const lost = Date.now();
      while (hub.presented.length === tries) await vi.advanceTimersByTimeAsync(50);
      gaps.push(Date.now() - lost);
      await settle();
    };
    for (const _ of [1, 2, 3, 4]) await loseAt(100);
    await loseAt(6_000);
    // A channel that opens and dies at once is not a success; one that lasted is.
    expect(gaps).toEqual([250, 500, 1_000, 2_000, 250]);
  });

  it('takes the bounds that the app gives', async () => {
    const hub = new FakeHub();
    hub.isDown = true;
    const app = await App.open(hub, { backoff: { min: 10, max: 40 } });
    hub.isDown = false;
    await pass(5);
    expect(app.state).toBe('connected');
  });
});

describe('transports', () => {
  it('falls back to an event stream when WebSockets are refused, within one attempt, and stays with it', async () => {
    const hub = new FakeHub();
    hub.refusesWebSockets = true;
    const app = await App.open(hub);
    expect(app.state).toBe('connected');
    hub.open[0]!.close(1006);
    await pass(8_000);
    expect(hub.connections.map((connection) => connection.via)).toEqual(['websocket', 'sse', 'sse']);
  });

  it('goes back to WebSockets when the stream fails', async () => {
    const hub = new FakeHub();
    hub.refusesWebSockets = true;
    const app = await App.open(hub);
    hub.crash();
    await pass(60_000);
    hub.refusesWebSockets = hub.isDown = false;
    await pass(60_000);
    expect(app.state).toBe('connected');
    expect(hub.open.map((connection) => connection.via)).toHaveLength(1);
  });

  it('gives up a socket that opens and says nothing, and tries the other way', async () => {
    const hub = new FakeHub();
    hub.isMute = true;
    const app = await App.open(hub);
    hub.isMute = false;
    await pass(5_000);
    expect(app.state).toBe('connected');
    expect(hub.open.map((connection) => connection.via)).toEqual(['sse']);
  });

  it('survives a page whose policy forbids the connection', async () => {
    const hub = new FakeHub();
    const Forbidden = class {
      constructor() {
        throw new DOMException('blocked', 'SecurityError');
      }
    } as unknown as typeof WebSocket;
    const app = await App.open(hub, { WebSocket: Forbidden });
    expect(app.state).toBe('connected');
  });

  it('closes a stream that has fallen silent for longer than two heartbeats', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { transports: ['sse'] });
    const stream = hub.open[0]! as unknown as { write(text: string): void };
    for (const _ of [1, 2, 3]) {
      await pass(60_000);
      stream.write(':\n\n');
    }
    await settle();
    expect(hub.connections).toHaveLength(1);
    await pass(66_000);
    expect(app.state).toBe('waiting');
    await pass(8_000);
    expect(hub.connections).toHaveLength(2);
    expect(app.state).toBe('connected');
  });

  it('sends no cookie, and the token in no address', async () => {
    const hub = new FakeHub();
    hub.refusesWebSockets = true;
    const app = await App.open(hub);
    await app.client.signOut();
    expect(hub.requests.length).toBe(2);
    for (const request of hub.requests) {
      expect(request.credentials).toBe('omit');
      expect(request.url).not.toContain(app.token);
      expect(request.headers.get('authorization')).toMatch(/^Bearer ./);
    }
    const socket = hub.connections[0] as unknown as { url: string; protocol: string };
    expect(socket.url).toBe('wss://hub.example/ws');
    expect(socket.protocol).toBe('slo.v1');
  });
});
