import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fileCursor, watchLogouts, type HubLogout, type LogoutWatch, type WatchError, type WatchOptions } from '../../src/watch/index.js';
import { verifyHubLogoutToken } from '../../src/verify-hub-logout-token.js';
import { SECRET } from './fake-hub.js';
import { isBuilt, RealHub } from './real-hub.js';

const until = (holds: () => void | Promise<void>) => vi.waitFor(holds, { timeout: 60_000, interval: 20 });

/** The hub itself. Skipped where it is not built: `cargo build`, or SLO_HUB_BIN. */
describe.skipIf(!isBuilt)('with the hub itself', () => {
  let hub: RealHub;
  let folder: string;
  const watches: LogoutWatch[] = [];
  const heard: HubLogout[] = [];
  const errors: WatchError[] = [];

  beforeAll(async () => {
    hub = await RealHub.start();
    folder = await mkdtemp(join(tmpdir(), 'slo-cursor-'));
  }, 30_000);
  afterAll(async () => {
    await hub?.stop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(watches.splice(0).map((watch) => watch.close()));
  });

  const cursor = () => fileCursor(join(folder, 'cursor'));
  function watch(options: Partial<WatchOptions> = {}): LogoutWatch {
    const common = { hub: hub.url, clientId: 'desk', secret: SECRET, cursor: cursor(), backoff: { min: 20, max: 200 } };
    const made = watchLogouts({ ...common, onError: (error) => errors.push(error), ...options }, (logout) => void heard.push(logout));
    watches.push(made);
    return made;
  }
  const sids = (name: string, n: number) => Array.from({ length: n }, (_, at) => `${name}-${at}`);
  const heardSids = () => heard.map((logout) => logout.sid).sort();

  it('nothing is missed and nothing told twice: the hub killed, and this process away for ten thousand logouts', { timeout: 240_000 }, async () => {
    const first = watch();
    await first.ready;
    await hub.logout(sids('live', 200));
    await until(() => expect(heard).toHaveLength(200));
    await hub.kill();
    await hub.restart();
    await hub.logout(sids('after', 200));
    await until(() => expect(heard).toHaveLength(400));
    await first.close();
    await hub.logout(sids('away', 10_000));
    await hub.kill();
    const second = watch();
    await hub.restart();
    await second.ready;
    await until(() => expect(heard.length).toBeGreaterThan(2_000));
    await hub.kill();
    await hub.restart();
    await until(() => expect(heard.length).toBeGreaterThanOrEqual(10_400));
    expect(heardSids()).toEqual([...sids('live', 200), ...sids('after', 200), ...sids('away', 10_000)].sort());
    await second.close();
    expect((await readFile(join(folder, 'cursor'), 'utf8')).trim()).toBe(heard.at(-1)?.id);
    expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['disconnected']));
  });

  it('what was carried out is acknowledged: so says the receipt', async () => {
    await watch().ready;
    await hub.logout(['receipt']);
    await until(() => expect(heard.at(-1)?.sid).toBe('receipt'));
    const id = heard.at(-1)!.id;
    await until(async () => expect(await hub.receipt(id)).toContainEqual(expect.objectContaining({ client_id: 'desk', status: 'acknowledged' })));
  });

  it('a place that the hub does not know, and a wrong secret, are told for what they are', async () => {
    const elsewhere = { load: () => '01JD6ZKQ3V8M4T9XW2C5B7N0RE', save: () => {} };
    await expect(watch({ cursor: elsewhere }).ready).rejects.toMatchObject({ code: 'unknown_cursor' });
    await expect(watch({ secret: 'wrong' }).ready).rejects.toMatchObject({ code: 'invalid_client' });
    await expect(watch({ clientId: 'nobody' }).ready).rejects.toMatchObject({ code: 'invalid_client' });
  });
});

describe.skipIf(!isBuilt)('a logout token that the hub posts', () => {
  it('is verified, and ends the session that it names', { timeout: 30_000 }, async () => {
    const posted: string[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => posted.push(body));
      response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const hub = await RealHub.start(`backchannel_logout_uri = "http://127.0.0.1:${port}/slo"\nbackchannel_logout_token = "hub"\n`);
    try {
      await hub.logout(['laptop']);
      await until(() => expect(posted).toHaveLength(1));
      const token = new URLSearchParams(posted[0]).get('logout_token');
      const logout = await verifyHubLogoutToken(token, { hub: hub.url, clientId: 'desk', issuer: 'http://localhost:9/' });
      expect(logout).toMatchObject({ iss: 'http://localhost:9/', sid: 'laptop' });
      expect(await hub.receipt(logout.id)).not.toEqual([]);
      await expect(verifyHubLogoutToken(token, { hub: hub.url, clientId: 'notes' })).rejects.toMatchObject({ code: 'invalid_token' });
    } finally {
      await hub.stop();
      server.close();
    }
  });
});
