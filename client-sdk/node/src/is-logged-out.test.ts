import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLoggedOut, type IsLoggedOutOptions } from './is-logged-out.js';

const NOON = Date.UTC(2026, 0, 1, 12);

let server: Server;
let hub: string;
let time: number;
let asked: IncomingMessage[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  [time, asked, answer] = [NOON, [], says(200, { active: true })];
  server = createServer((request, response) => {
    asked.push(request);
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function says(status: number, body: unknown) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const req = { oidc: { idToken: 'token-of-ada' } };
const isOver = (options: Partial<IsLoggedOutOptions> = {}, request: object = req) =>
  isLoggedOut(request, { hub, now: () => time, timeout: 500, ...options });

describe('a session', () => {
  it('is asked about at the hub, by its token', async () => {
    expect(await isOver()).toBe(false);
    expect([asked[0]?.url, asked[0]?.headers.authorization, asked[0]?.headers.origin]).toEqual(['/api/v1/session', 'Bearer token-of-ada', undefined]);
    answer = says(200, { active: false, logout: { id: '01JD6ZKQ3V8M4T9XW2C5B7N0RE' } });
    expect(await isOver({}, { oidc: { idToken: 'another' } })).toBe(true);
  });

  it('that nobody has is not asked about', async () => {
    expect(await isOver({}, {})).toBe(false);
    expect(await isOver({ getToken: async () => null })).toBe(false);
    expect(asked).toHaveLength(0);
  });

  it('may keep its token elsewhere', async () => {
    expect(await isLoggedOut({ session: 'mine' }, { hub, getToken: (request) => request.session })).toBe(false);
    expect(asked[0]?.headers.authorization).toBe('Bearer mine');
  });

  it('lives whose token has only expired', async () => {
    answer = says(401, { error: 'invalid_token', code: 'token_expired' });
    expect(await isOver({ whenAway: 'signed-out' })).toBe(false);
  });
});

describe('an answer', () => {
  it('is good for maxAge, and then asked for again', async () => {
    await isOver();
    answer = says(200, { active: false });
    time = NOON + 9_999;
    expect(await isOver()).toBe(false);
    time = NOON + 10_000;
    expect(await isOver()).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it('that the session is over is good for good', async () => {
    answer = says(200, { active: false });
    await isOver();
    answer = says(200, { active: true });
    time = NOON + 1e9;
    expect(await isOver()).toBe(true);
  });

  it('is asked for once by all requests of a moment', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => isOver()))).toEqual(Array.from({ length: 20 }, () => false));
    expect(asked).toHaveLength(1);
  });

  it('is that of its own token and of its own hub', async () => {
    answer = says(200, { active: false });
    await isOver();
    answer = says(200, { active: true });
    expect(await isOver({}, { oidc: { idToken: 'grace' } })).toBe(false);
    expect(await isOver({ hub: `${hub}/other` })).toBe(false);
  });
});

describe('a hub that is away', () => {
  const ways: [string, () => void][] = [
    ['is gone', () => server.close()],
    ['says nothing', () => (answer = () => {})],
    ['answers 503', () => (answer = says(503, { error: 'temporarily_unavailable', code: 'store' }))],
    ['answers 429', () => (answer = says(429, { error: 'slow_down', code: 'slow_down' }))],
    ['is a proxy that answers something else', () => (answer = says(200, '<html>'))],
    ['sends elsewhere', () => (answer = (response) => void response.writeHead(302, { location: 'https://elsewhere.example' }).end())],
  ];

  it.each(ways)('signs nobody out, unless that is chosen: it %s', async (_way, goes) => {
    goes();
    expect(await isOver()).toBe(false);
    expect(await isOver({ whenAway: 'signed-out' })).toBe(true);
    await expect(isOver({ whenAway: 'throw' })).rejects.toMatchObject({ code: 'hub_away' });
  });

  it('leaves its last answer good for maxStale, and no longer', async () => {
    await isOver();
    answer = says(503, {});
    time = NOON + 299_999;
    expect(await isOver({ whenAway: 'signed-out' })).toBe(false);
    time = NOON + 300_000;
    expect(await isOver({ whenAway: 'signed-out' })).toBe(true);
  });

  it('is not asked again for a moment, and then it is', async () => {
    answer = says(503, {});
    await isOver();
    answer = says(200, { active: false });
    time = NOON + 1_999;
    expect(await isOver()).toBe(false);
    expect(asked).toHaveLength(1);
    time = NOON + 2_000;
    expect(await isOver()).toBe(true);
  });
});

describe('a hub that refuses', () => {
  it.each([
    [401, 'bad_signature'],
    [403, 'invalid_origin'],
  ])('the token is told, since no session of the app’s would ever end: %i %s', async (status, code) => {
    answer = says(status, { error: 'invalid_token', code });
    await expect(isOver()).rejects.toMatchObject({ name: 'HubError', code });
    await expect(isOver()).rejects.not.toThrow('token-of-ada');
  });

  it('is not asked over a network in the clear', async () => {
    await expect(isOver({ hub: 'http://hub.example' })).rejects.toThrow(TypeError);
  });
});
