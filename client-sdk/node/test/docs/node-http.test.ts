import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeHub } from '../watch/fake-hub.js';
import { Example } from './example.js';

let hub: FakeHub;
let app: Example;
beforeEach(async () => {
  hub = await new FakeHub().start();
  app = await Example.start('node-http', hub.url);
});
afterEach(async () => {
  await app.close();
  await hub.kill();
});

describe('docs/node-http.md', () => {
  it('signs in, and out on the device whose session has ended, and nowhere else', async () => {
    await app.signInBoth();
    const [id] = hub.logout({ issuer: app.provider.issuer, sid: 'laptop' });
    await app.until('the hub knows that it is done', async () => hub.acked[0] === id);
    await app.onlyTheLaptopIsSignedOut();
  });

  it('is signed out of what ended while the hub could not be reached', async () => {
    await app.signInBoth();
    await hub.kill();
    expect(await app.isSignedIn(app.laptop)).toBe(true);
    hub.logout({ issuer: app.provider.issuer, sid: 'laptop' });
    await hub.start();
    await app.onlyTheLaptopIsSignedOut();
  });

  it('whoever comes back from no sign-in of this browser is not signed in', async () => {
    expect(await app.laptop.sees('/callback?code=stolen&state=x')).toBe('');
    expect(await app.isSignedIn(app.laptop)).toBe(false);
  });
});
