import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeHub } from '../watch/fake-hub.js';
import { Example } from './example.js';

const HERE = import.meta.dirname;
const NEXT = path.join(HERE, '../../../node_modules/next/dist/bin/next');
/** A copy: Next.js writes beside what it builds. Not elsewhere, since it finds packages by where the code is. */
const APP = path.join(HERE, '../../build/nextjs-example');

let hub: FakeHub;
let app: Example;
beforeAll(async () => {
  await rm(APP, { recursive: true, force: true });
  await cp(path.join(HERE, '../../examples/nextjs'), APP, { recursive: true });
  const settings = { BASE_URL: 'http://localhost:1', ISSUER: 'http://localhost:1/', CLIENT_ID: 'x', CLIENT_SECRET: 'x', COOKIE_SECRET: 'x'.repeat(32) };
  const env = { ...process.env, ...settings, DATABASE: ':memory:', NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [NEXT, 'build', APP], { env });
}, 240_000);
afterAll(() => rm(APP, { recursive: true, force: true }));

beforeEach(async () => {
  hub = await new FakeHub().start();
  app = await Example.run([NEXT, 'start', APP], hub.url);
});
afterEach(async () => {
  await app.close();
  await hub.kill();
});

describe('docs/nextjs.md', () => {
  it('signs in, and out on the device whose session the hub says has ended, and nowhere else', { timeout: 60_000 }, async () => {
    await app.signInBoth('/auth/login');
    const [id] = hub.logout({ issuer: app.provider.issuer, sid: 'laptop' });
    await app.until('the hub knows that it is done', async () => hub.acked[0] === id);
    await app.onlyTheLaptopIsSignedOut();
  });

  it('takes the provider’s own token as well, which the hub passes on', { timeout: 60_000 }, async () => {
    await app.signInBoth('/auth/login');
    expect(await app.post('/auth/backchannel-logout', await app.provider.logoutToken({ sid: 'laptop', sub: 'auth0|ada' }))).toBe(204);
    await app.onlyTheLaptopIsSignedOut();
  });
});
