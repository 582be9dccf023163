import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Example } from './example.js';
import { SigningHub } from './parties.js';

let hub: SigningHub;
let app: Example;
beforeEach(async () => {
  hub = await new SigningHub().start();
  app = await Example.start('fastify', hub.url);
});
afterEach(async () => {
  await app.close();
  hub.close();
});

describe('docs/fastify.md', () => {
  it('signs in, and out on the device whose session has ended, and nowhere else', async () => {
    await app.signInBoth();
    expect(await app.post('/slo', await hub.logoutToken({ sid: 'laptop' }))).toBe(204);
    await app.onlyTheLaptopIsSignedOut();
  });

  it('takes the hub’s word and nobody else’s, and is told again where it could not ask', async () => {
    await app.signInBoth();
    expect(await app.post('/slo', await app.provider.logoutToken({ sid: 'laptop' }))).toBe(400);
    expect(await app.post('/slo', '')).toBe(400);
    const token = await hub.logoutToken({ sid: 'laptop' });
    await app.restart();
    hub.close();
    expect(await app.post('/slo', token)).toBe(503);
    expect(await app.isSignedIn(app.laptop)).toBe(true);
  });
});
