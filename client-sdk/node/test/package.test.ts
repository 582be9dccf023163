import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, installInto, manifest, run, type Installed } from '../../test/pack.js';
import { isFitToPublish } from '../../test/published.js';
import { golden } from './watch/fake-hub.js';

const SOURCES = path.join(import.meta.dirname, '../src');
const STORES = {
  sqliteSessionStore: 'better-sqlite3',
  postgresSessionStore: 'pg',
  redisSessionStore: 'redis',
  mongoSessionStore: 'mongodb',
  dynamoSessionStore: '@aws-sdk/lib-dynamodb',
};

let folder: string;
let installed: Installed;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'slo-hub-node-'));
  installed = installInto(folder, 'node');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what is published of @slo-hub/node', () => {
  isFitToPublish(() => installed);

  it('is this and nothing else: neither sources nor tests', () => {
    const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
    const built = sources.map((file) => `dist/${file.replace(/\.ts$/, '')}`).flatMap((file) => [`${file}.js`, `${file}.d.ts`]);
    expect(installed.files).toEqual([...built, 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json'].sort());
  });

  it('brings jose and ws, and no driver', () => {
    expect(readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.')).sort()).toEqual(['@slo-hub', 'jose', 'ws']);
    const drivers = Object.keys(manifest(installed.at).peerDependencies ?? {}).sort();
    expect(drivers).toEqual(Object.values(STORES).sort());
  });
});

const ID = '01JD6ZKQ3V8M4T9XW2C5B7N0RE';
/** A hub in a few lines, and its keys: what a program in the folder begins with. */
const HUB = `
  import { createServer } from 'node:http';
  import { exportJWK, generateKeyPair, SignJWT } from 'jose';
  import { WebSocketServer } from 'ws';
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
  const server = createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(req.url === '/api/v1/session' ? { active: false } : { keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const hub = 'http://127.0.0.1:' + server.address().port;
  const id = '${ID}';
  const line = new WebSocketServer({ server, path: '/ws' });
  const end = () => { line.close(); server.close(); server.closeAllConnections(); };
`;

describe('installed in an empty folder, with no driver of any database', () => {
  it('every entry can be imported', () => {
    const entries = Object.keys(manifest(installed.at).exports).filter((entry) => !entry.endsWith('.json'));
    expect(entries).toEqual(['.', './stores']);
    const said = run(folder, `
      import * as main from '@slo-hub/node';
      import * as stores from '@slo-hub/node/stores';
      console.log(Object.keys(main).sort().join(), Object.keys(stores).sort().join());
    `);
    const main = ['HubError', 'WatchError', 'backchannelLogout', 'fileCursor', 'isLoggedOut', 'verifyHubLogoutToken', 'watchLogouts'];
    expect(said).toBe(`${main.join()} ${[...Object.keys(STORES), 'postgresSchema'].sort().join()}`);
  });

  it('verifies a hub’s logout token, and refuses one for another app', () => {
    const said = run(folder, `${HUB}
      import { verifyHubLogoutToken } from '@slo-hub/node';
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const token = await new SignJWT({ sid: 's1', events, txn: id })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'logout+jwt' })
        .setIssuer(hub).setAudience('desk').setIssuedAt().setExpirationTime('2m').setJti('j1').sign(privateKey);
      const logout = await verifyHubLogoutToken(token, { hub, clientId: 'desk', issuer: 'https://acme.eu.auth0.com/' });
      const refused = await verifyHubLogoutToken(token, { hub, clientId: 'shop' }).catch((error) => error.code);
      console.log(logout.sid, logout.iss, refused);
      end();
    `);
    expect(said).toBe('s1 https://acme.eu.auth0.com/ invalid_token');
  });

  it('asks the hub whether a session is over', () => {
    const said = run(folder, `${HUB}
      import { isLoggedOut } from '@slo-hub/node';
      console.log(await isLoggedOut({ oidc: { idToken: 'x' } }, { hub }), await isLoggedOut({}, { hub }));
      end();
    `);
    expect(said).toBe('true false');
  });

  it('follows the hub, and keeps its place in a file', () => {
    const frames = [golden('subscribed, to a back end'), { ...golden('slo-event for one session'), id: ID }];
    const said = run(folder, `${HUB}
      import { fileCursor, watchLogouts } from '@slo-hub/node';
      line.on('connection', (socket) => socket.on('message', (data) => {
        const { type, id: acked } = JSON.parse(data);
        if (type === 'ack') return void console.log('acknowledged', acked);
        for (const frame of ${JSON.stringify(frames)}) socket.send(JSON.stringify(frame));
      }));
      const cursor = fileCursor('logouts.cursor');
      const told = await new Promise((resolve, reject) => {
        const watch = watchLogouts({ hub, clientId: 'desk', secret: 'x', cursor, onError: reject }, (logout) => resolve({ watch, logout }));
      });
      await told.watch.close();
      console.log(told.logout.sid, await cursor.load());
      end();
    `);
    expect(said.split('\n').sort()).toEqual([`acknowledged ${ID}`, `${String(golden('slo-event for one session')['sid'])} ${ID}`].sort());
  });

  it('holds for express-openid-connect what a logout named', () => {
    const said = run(folder, `
      import { backchannelLogout } from '@slo-hub/node';
      const kept = new Map();
      const store = { get: async (key) => kept.get(key), set: async (key, mark) => void kept.set(key, mark) };
      const { onLogoutToken, isLoggedOut } = backchannelLogout({ store });
      const iss = 'https://acme.eu.auth0.com/';
      await onLogoutToken({ iss, sid: 'laptop', sub: 'ada' }, {});
      const over = (sid) => isLoggedOut({ oidc: { idTokenClaims: { iss, sid, sub: 'ada' } } }, {});
      console.log(await over('laptop'), await over('phone'));
    `);
    expect(said).toBe('true false');
  });

  it.each(Object.entries(STORES))('%s without its driver says which package to install', (store, driver) => {
    const said = run(folder, `
      import { ${store} } from '@slo-hub/node/stores';
      for (const nothing of [undefined, null, {}]) try { ${store}(nothing); } catch (error) { console.log(error.name, error.message); }
    `).split('\n');
    expect(said).toHaveLength(3);
    for (const line of said) expect(line).toMatch(new RegExp(`^TypeError the store takes an? .*: npm install .*${driver}$`));
  });

  it.each(['node16', 'bundler'] as const)('its types resolve by %s, without the types of any driver', (resolution) => {
    expect(compile(folder, resolution, CONSUMER)).toBe('');
  });

  it('and they are types: what makes no sense is an error', () => {
    expect(compile(folder, 'node16', `${CONSUMER}\nisLoggedOut({}, { hub: 5 });`)).toMatch(/TS2322.*number/);
  });
});

const CONSUMER = `
import { backchannelLogout, fileCursor, HubError, isLoggedOut, verifyHubLogoutToken, watchLogouts, type LogoutStore } from '@slo-hub/node';
import { sqliteSessionStore, type SessionStore, type SqliteDatabase } from '@slo-hub/node/stores';
declare const database: SqliteDatabase;
export const sessions: SessionStore<{ readonly theme: string }> = sqliteSessionStore(database);
export const watch = watchLogouts({ hub: 'https://logout.example.com', clientId: 'desk', secret: 'x', cursor: fileCursor('c') }, sessions satisfies LogoutStore);
export const hooks = backchannelLogout({ store: { get: async () => null, set: async () => {} } });
export const sid: Promise<string | undefined> = verifyHubLogoutToken('t', { hub: 'https://logout.example.com', clientId: 'desk' }).then((logout) => logout.sid);
export const code: string = new HubError('hub_away', 'away').code;
export const over: Promise<boolean> = isLoggedOut({}, { hub: 'https://logout.example.com' });
`;
