import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Example } from './example.js';

const HUB = 'https://logout.example.com';

let app: Example;
beforeEach(async () => void (app = await Example.start('express', HUB)));
afterEach(() => app.close());

describe('docs/express.md', () => {
  it('signs in, and out on the device whose session has ended, and nowhere else', async () => {
    await app.signInBoth();
    expect(await app.post('/backchannel-logout', await app.provider.logoutToken({ sid: 'laptop', sub: 'auth0|ada' }))).toBe(204);
    await app.onlyTheLaptopIsSignedOut();
  });

  it('signs out everywhere where the token names the person alone, and refuses what is no token', async () => {
    await app.signInBoth();
    expect(await app.post('/backchannel-logout', 'x.y.z')).toBe(400);
    expect([await app.isSignedIn(app.laptop), await app.isSignedIn(app.phone)]).toEqual([true, true]);
    expect(await app.post('/backchannel-logout', await app.provider.logoutToken({ sub: 'auth0|ada' }))).toBe(204);
    expect([await app.isSignedIn(app.laptop), await app.isSignedIn(app.phone)]).toEqual([false, false]);
  });

  it('its button goes to the hub, with the token in a form and not in an address', async () => {
    await app.signInBoth();
    const page = await app.laptop.sees();
    expect(page).toContain(`<form method="post" action="${HUB}/logout">`);
    expect(page).toMatch(/name="id_token_hint" value="[\w-]+\.[\w-]+\.[\w-]+"/);
  });
});
