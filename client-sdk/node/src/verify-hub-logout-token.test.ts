import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyHubLogoutToken, type VerifyOptions } from './verify-hub-logout-token.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Recorded at 2024-11-22T22:11:04.776Z. */
const TXN = '01JDAYVFY8M4T9XW2C5B7N0RES';
const RECORDED = 1732313464;

let server: Server;
let hub: string;
let key: CryptoKey;
let known: JWK[];
let isDown: boolean;
let fetches = 0;
let time: number;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  known = [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
});
beforeEach(async () => {
  [time, isDown] = [RECORDED, false];
  server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(isDown ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: known }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void (server.closeAllConnections(), server.close()));
afterAll(() => expect(fetches).toBeGreaterThan(0));

const claims = (more: object = {}) => ({ iss: hub, aud: 'desk', iat: time, exp: time + 120, jti: 'j1', txn: TXN, sid: 's-1', events: { [EVENT]: {} }, ...more });
const signed = (more: object = {}, header: object = {}, by = key) =>
  new SignJWT(JSON.parse(JSON.stringify(claims(more)))).setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid: 'k1', ...header }).sign(by);
const verify = (token: unknown, options: Partial<VerifyOptions> = {}) => verifyHubLogoutToken(token, { hub, clientId: 'desk', now: () => time * 1000, ...options });

describe('a logout token of the hub’s', () => {
  it('names a session, or a person', async () => {
    expect(await verify(await signed({ sub: 'auth0|ada' }))).toEqual({ id: TXN, jti: 'j1', iat: RECORDED, sid: 's-1', sub: 'auth0|ada' });
    expect(await verify(await signed({ sid: undefined, sub: 'auth0|ada' }))).toEqual({ id: TXN, jti: 'j1', iat: RECORDED, sub: 'auth0|ada' });
  });

  it('is about sessions of the app’s issuer, which the token does not name', async () => {
    expect(await verify(await signed(), { issuer: 'https://acme.eu.auth0.com/' })).toMatchObject({ iss: 'https://acme.eu.auth0.com/' });
  });

  it('that comes hours late is still about the time of its logout: who signed in since stays', async () => {
    time = RECORDED + 20 * 3600;
    expect(await verify(await signed())).toMatchObject({ iat: RECORDED + 1 });
  });

  it('may be for several, and the hub’s address may end in a slash', async () => {
    await verify(await signed({ aud: ['desk', 'notes'] }), { hub: `${hub}/` });
  });

  it('is good for its two minutes, and the tolerance of clocks', async () => {
    const token = await signed();
    time += 120 + 59;
    await verify(token);
    time += 2;
    await expect(verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('is taken once where its names are kept, and the caller hears until when', async () => {
    const names = new Map<string, number>();
    const isNew = (jti: string, until: number) => !names.has(jti) && !!names.set(jti, until);
    const token = await signed();
    await verify(token, { isNew });
    await expect(verify(token, { isNew })).rejects.toMatchObject({ code: 'jti_reused' });
    expect([...names]).toEqual([['j1', time + 180]]);
  });
});

describe('what is refused:', () => {
  it.each([
    ['another issuer', { iss: 'https://acme.eu.auth0.com/' }, {}],
    ['another app', { aud: 'notes' }, {}],
    ['no logout in events', { events: { x: {} } }, {}],
    ['events of another kind', { events: { [EVENT]: [] } }, {}],
    ['no events', { events: undefined }, {}],
    ['a nonce', { nonce: null }, {}],
    ['no jti', { jti: undefined }, {}],
    ['an empty jti', { jti: '' }, {}],
    ['no txn', { txn: undefined }, {}],
    ['a txn that is no ULID', { txn: 'x' }, {}],
    ['no expiry', { exp: undefined }, {}],
    ['no time', { iat: undefined }, {}],
    ['nobody', { sid: undefined }, {}],
    ['an empty sid', { sid: '', sub: 'ada' }, {}],
    ['a sid of a wrong type', { sid: 5, sub: 'ada' }, {}],
    ['an ID token’s type', {}, { typ: 'JWT' }],
    ['no type', {}, { typ: undefined }],
    ['a key that is not the hub’s', {}, { kid: 'k2' }],
  ])('%s', async (_what, more, header) => {
    await expect(verify(await signed(more, header))).rejects.toMatchObject({ name: 'HubError', code: 'invalid_token' });
  });

  it('another signature, or none', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const [header, payload] = (await signed()).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'logout+jwt' })).toString('base64url');
    for (const token of [await signed({}, {}, privateKey), `${header}.${payload}.`, `${none}.${payload}.`, 'x', '', undefined, 5]) {
      await expect(verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
    }
  });

  it('an algorithm with a shared secret, though the hub’s public key be the secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(known[0]));
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt', kid: 'k1' }).sign(secret);
    await expect(verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('with no word of the token in the error', async () => {
    const error = await verify(await signed({ sid: '', sub: 'auth0|ada' })).catch((caught: unknown) => caught);
    expect(String(error)).not.toMatch(/ada|s-1/);
  });
});

describe('a hub whose keys cannot be had', () => {
  it('is away, and the token is not to blame', async () => {
    const token = await signed();
    isDown = true;
    await expect(verify(token)).rejects.toMatchObject({ code: 'hub_away' });
    isDown = false;
    await verify(token);
    await expect(verify(token, { hub: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'hub_away' });
  });

  it('says so too of a key that it could not ask for yet, having asked a moment ago', async () => {
    await verify(await signed());
    await expect(verify(await signed({}, { kid: 'k2' }))).rejects.toMatchObject({ code: 'hub_away' });
  });
});
