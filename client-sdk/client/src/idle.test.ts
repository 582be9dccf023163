import { describe, expect, it } from 'vitest';
import { App, pass, settle } from '../test/app.js';
import { FakeHub, HUB, idToken } from '../test/hub.js';

const WARNING = { type: 'idle-warning', seconds_left: 60 };

/** A hub that signs idle people out. */
function timed(): FakeHub {
  const hub = new FakeHub();
  hub.idleTimeout = 900;
  return hub;
}

async function warn(hub: FakeHub): Promise<void> {
  for (const connection of hub.open) connection.send(WARNING);
  await settle();
}

describe('staying signed in', () => {
  it('is reported at once, also right after something else was', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.page.press();
    app.client.stay();
    expect(hub.activities).toBe(2);
  });

  it('is reported by request where the channel is an event stream', async () => {
    const hub = timed();
    const app = await App.open(hub, { transports: ['sse'] });
    app.client.stay();
    await settle();
    const { url, method, headers } = hub.requests.at(-1)!;
    expect([method, url]).toEqual(['POST', `${HUB}/api/v1/session/activity`]);
    expect(headers.get('authorization')).toMatch(/^Bearer slo1\./);
  });

  it('is what an app can still say that reports nothing by itself', async () => {
    const hub = timed();
    const app = await App.open(hub, { activity: false });
    app.page.press();
    expect(hub.activities).toBe(0);
    app.client.stay();
    expect(hub.activities).toBe(1);
  });

  it('says nothing where there is no session, or none any more', async () => {
    const hub = timed();
    const nobody = await App.open(hub, { token: null });
    nobody.client.stay();
    const over = await App.open(hub);
    hub.signOutElsewhere();
    await settle();
    over.client.stay();
    await settle();
    expect([nobody.state, over.state, hub.activities]).toEqual(['idle', 'signed-out', 0]);
  });
});

describe('a warning', () => {
  it('is called off by whatever the person does, however short ago something was reported', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.page.press();
    await pass(10_000);
    await warn(hub);
    app.page.press();
    app.page.press();
    expect(hub.activities).toBe(2);
  });

  it('where a dialog asks, is called off by the answer alone', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.client.on('idle-warning', ({ ask }) => ask());
    await warn(hub);
    app.page.press();
    await pass(55_000);
    app.page.press();
    expect(hub.activities).toBe(0);
    app.client.stay();
    expect(hub.activities).toBe(1);
  });

  it('that was called off in another app leaves all as before', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.client.on('idle-warning', ({ ask }) => ask());
    await warn(hub);
    hub.open[0]!.send({ type: 'idle-cancelled' });
    await settle();
    app.page.press();
    expect(hub.activities).toBe(1);
  });

  it('that a new channel knows nothing of is over, even if nobody said so', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.client.on('idle-warning', ({ ask }) => ask());
    await warn(hub);
    hub.crash();
    await settle();
    hub.isDown = false;
    await pass(30_000);
    expect(app.state).toBe('connected');
    app.page.press();
    expect(hub.activities).toBe(1);
  });
});

describe('no activity', () => {
  it('is what an app does by itself: a channel that comes back, a token that is refreshed', async () => {
    const hub = timed();
    const app = await App.open(hub);
    app.token = idToken({ exp: Math.floor(Date.now() / 1000) + 90_000 });
    app.page.goOnline();
    await settle();
    hub.open[0]!.close(4003);
    await settle();
    app.page.hide();
    await pass(600_000);
    app.page.show();
    expect([app.asked, hub.presented.length, hub.activities]).toEqual([['connect', 'rejected'], 3, 0]);
  });
});
