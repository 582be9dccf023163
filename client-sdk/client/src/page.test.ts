import { describe, expect, it, vi } from 'vitest';
import { App, pass, settle, sleep } from '../test/app.js';
import { FakeHub, idToken } from '../test/hub.js';
import { FakeElement, Origin } from '../test/page.js';

const HOUR = 3_600_000;

describe('pagehide closes the socket, pageshow from the back/forward cache opens it and asks first', () => {
  it('closes and reopens, with the ticket', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.leave();
    await settle();
    expect(hub.open).toHaveLength(0);
    await pass(HOUR);
    expect(hub.presented).toHaveLength(1);
    app.page.comeBack();
    await settle();
    expect(app.state).toBe('connected');
    expect(hub.presented).toHaveLength(2);
    expect(hub.presented[1]).toMatch(/^slo1\./);
    expect(hub.open).toHaveLength(1);
  });

  it('is signed out when it comes back, before anything private is shown', async () => {
    const hub = new FakeHub();
    const seen: boolean[] = [];
    const app = await App.open(hub, { curtain: true, onSignedOut: () => void seen.push(app.page.isHidden) });
    app.page.leave();
    expect(app.page.isHidden).toBe(true);
    hub.signOutElsewhere();
    sleep(HOUR);
    expect(app.page.isHidden).toBe(true);
    app.page.comeBack();
    expect(app.page.isHidden).toBe(true);
    await settle();
    expect(seen).toEqual([true]);
    expect(app.page.isHidden).toBe(false);
    expect(app.state).toBe('signed-out');
  });

  it('a page that has nobody signed in, or was told already, asks nothing', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    hub.signOutElsewhere();
    await settle();
    app.page.leave();
    app.page.comeBack();
    await pass(HOUR);
    expect(hub.presented).toHaveLength(1);
    expect(app.told).toHaveLength(1);
  });

  it('lets go of the broadcast channel too, and takes it up again', async () => {
    const origin = new Origin();
    const app = await App.open(new FakeHub(), { origin });
    app.page.leave();
    expect(origin.channels.size).toBe(0);
    app.page.comeBack();
    await settle();
    expect(origin.channels.size).toBe(1);
  });
});

describe('somebody who signs out by a link is on their way, and the app does not take them off it', () => {
  it('a logout that comes while the page is being left waits for the page to be gone', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.followLink();
    hub.signOutElsewhere();
    await pass(2_900);
    expect(app.told).toHaveLength(0);
    app.page.leave();
    expect(app.told).toHaveLength(0);
  });

  it('a page that stays, because the link was a download, is told a little later', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.followLink();
    hub.signOutElsewhere();
    await pass(3_000);
    expect(app.told).toHaveLength(1);
    expect(app.state).toBe('signed-out');
  });

  it('a page that comes back by the Back button is told at once', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.followLink();
    app.page.leave();
    hub.signOutElsewhere();
    app.page.comeBack();
    await settle();
    expect(app.told).toHaveLength(1);
  });
});

describe('also on online, visibilitychange and resume', () => {
  it('online: a socket that looks open is replaced', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.goOnline();
    await settle();
    expect(hub.presented).toHaveLength(2);
    expect(hub.open).toHaveLength(1);
    expect(app.state).toBe('connected');
  });

  it('visible: a page that waits tries at once; one that is connected stays', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.hide();
    app.page.show();
    await settle();
    expect(hub.presented).toHaveLength(1);
    hub.crash();
    await pass(120_000);
    hub.isDown = false;
    app.page.show();
    await settle();
    expect(app.state).toBe('connected');
  });

  it('visible: a page whose nobody has signed in meanwhile asks the app again', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { token: null });
    app.token = idToken();
    app.page.show();
    await settle();
    expect(app.state).toBe('connected');
  });

  it('visible after a long sleep: the hub is asked first', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.hide();
    sleep(HOUR);
    app.page.show();
    await settle();
    expect(hub.presented).toHaveLength(2);
  });

  it('resume: a frozen page asks first', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.document.dispatchEvent(new Event('freeze'));
    app.page.document.dispatchEvent(new Event('resume'));
    await settle();
    expect(hub.presented).toHaveLength(2);
    expect(app.state).toBe('connected');
  });
});

describe('the curtain', () => {
  it('lifts when the hub says that the session is alive', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true });
    expect(app.page.isHidden).toBe(false);
    app.page.leave();
    app.page.comeBack();
    expect(app.page.isHidden).toBe(true);
    await settle();
    expect(app.page.isHidden).toBe(false);
  });

  it('lifts after 1.5 s when the hub is away', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true });
    hub.crash();
    app.page.leave();
    await pass(HOUR);
    app.page.comeBack();
    await pass(1_499);
    expect(app.page.isHidden).toBe(true);
    await pass(1);
    expect(app.page.isHidden).toBe(false);
    expect(app.told).toEqual([]);
  });

  it('lifts after 3 s though a handler waits for the person', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true, onSignedOut: () => new Promise<void>(() => {}) });
    app.page.leave();
    hub.signOutElsewhere();
    app.page.comeBack();
    await pass(2_900);
    expect(app.page.isHidden).toBe(true);
    await pass(200);
    expect(app.page.isHidden).toBe(false);
  });

  it('is drawn only when asked for', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.leave();
    expect(app.page.isHidden).toBe(false);
  });

  it('hides one element, and gives it its own style back', async () => {
    const hub = new FakeHub();
    const element = new FakeElement(() => app.page.document);
    element.style.cssText = 'color: red';
    const app: App = await App.open(hub, { curtain: element as unknown as HTMLElement });
    app.page.leave();
    expect(element.style.cssText).toContain('visibility:hidden!important');
    expect(app.page.isHidden).toBe(false);
    app.page.comeBack();
    await settle();
    expect(element.style.cssText).toBe('color: red');
  });

  it('puts the focus back where it was', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true });
    const { document } = app.page;
    const field = new FakeElement(() => document);
    field.focus();
    app.page.leave();
    document.activeElement = document.body; // What is hidden loses it.
    app.page.comeBack();
    await settle();
    expect(document.activeElement).toBe(field);
  });

  it('leaves the focus to the handler that took it, and lets it take it', async () => {
    const hub = new FakeHub();
    const heading = new FakeElement(() => app.page.document);
    let style = '';
    const app: App = await App.open(hub, {
      curtain: true,
      onSignedOut() {
        style = app.page.document.documentElement.style.cssText;
        heading.focus();
      },
    });
    new FakeElement(() => app.page.document).focus();
    app.page.leave();
    hub.signOutElsewhere();
    app.page.comeBack();
    await settle();
    expect(style).toBe(';opacity:0!important');
    expect(app.page.document.activeElement).toBe(heading);
  });

  it('a sign-out of the app\'s own lifts it', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { curtain: true });
    hub.isMute = true;
    app.page.document.dispatchEvent(new Event('freeze'));
    void app.client.signOut();
    expect(app.page.isHidden).toBe(false);
  });
});

describe('signOut is bounded and never rejects', () => {
  it('tells the hub, with what is held, and says where to go on', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    const result = await app.client.signOut({ reason: 'You signed out in Notes' });
    expect(result).toEqual({ delivered: true, continueUrl: 'https://hub.example/logout/continue?ticket=once' });
    const [request] = hub.requests;
    expect(request!.keepalive).toBe(true);
    expect(request!.headers.get('authorization')).toMatch(/^Bearer slo1\./);
    expect(app.state).toBe('signed-out');
    expect(app.page.location.assign).not.toHaveBeenCalled();
  });

  it('its own logout comes back to it and is acknowledged, but not told', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    await app.client.signOut();
    await settle();
    expect(app.told).toEqual([]);
    expect(hub.acked).toHaveLength(1);
    expect(hub.open).toHaveLength(0);
  });

  it('redirect: goes on to the hub', async () => {
    const app = await App.open(new FakeHub());
    await app.client.signOut({ redirect: true });
    expect(app.page.location.assign).toHaveBeenCalledExactlyOnceWith('https://hub.example/logout/continue?ticket=once');
  });

  it.each([
    ['is down', (hub: FakeHub) => void (hub.isDown = true)],
    ['answers 503', (hub: FakeHub) => void (hub.onRequest = () => new Response('{}', { status: 503 }))],
    ['answers nonsense', (hub: FakeHub) => void (hub.onRequest = () => new Response('<html>'))],
  ])('a hub that %s blocks no logout', async (_, breakIt) => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    breakIt(hub);
    expect(await app.client.signOut({ redirect: true })).toEqual({ delivered: false });
    expect(app.page.location.assign).not.toHaveBeenCalled();
    expect(app.state).toBe('signed-out');
    await pass(HOUR);
    expect(app.state).toBe('signed-out');
  });

  it('waits 1.5 s at most, or as long as it is told', async () => {
    for (const timeoutMs of [undefined, 200]) {
      const hub = new FakeHub();
      const app = await App.open(hub);
      hub.onRequest = () => new Promise<Response>(() => {});
      const done = vi.fn();
      void app.client.signOut(timeoutMs === undefined ? {} : { timeoutMs }).then(done);
      await pass((timeoutMs ?? 1_500) - 1);
      expect(done).not.toHaveBeenCalled();
      await pass(1);
      expect(done).toHaveBeenCalledExactlyOnceWith({ delivered: false });
      // It may still arrive: the request goes on.
      expect(hub.requests[0]!.signal.aborted).toBe(false);
    }
  });

  it('a getToken that throws or hangs blocks none either', async () => {
    for (const getToken of [() => Promise.reject(new Error('no')), () => new Promise<never>(() => {})]) {
      const app = await App.open(new FakeHub(), { getToken, onSignedOut: () => {} });
      const leaving = app.client.signOut({ scope: 'user' });
      await pass(1_500);
      expect(await leaving).toEqual({ delivered: false });
    }
  });

  it('scope user takes the app\'s token, a fresh one where it has expired', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.asked.length = 0;
    const fresh = idToken({ nonce: 'another' });
    hub.onRequest = (request) => {
      if (request.headers.get('authorization') === `Bearer ${fresh}`) return undefined;
      app.token = fresh;
      return Response.json({ error: 'invalid_token', code: 'token_expired' }, { status: 401 });
    };
    const result = await app.client.signOut({ scope: 'user' });
    expect(result.delivered).toBe(true);
    expect(app.asked).toEqual(['connect', 'rejected']);
  });

  it('while connecting: stays signed out, whatever the hub answers then', async () => {
    const hub = new FakeHub();
    const app = new App(hub);
    const leaving = app.client.signOut();
    await settle();
    expect((await leaving).delivered).toBe(true);
    expect(app.states).toEqual(['connecting', 'signed-out']);
    await pass(HOUR);
    expect(app.state).toBe('signed-out');
  });

  it('works before there is a connection', async () => {
    const hub = new FakeHub();
    const app = await App.open(hub, { autoStart: false });
    expect((await app.client.signOut()).delivered).toBe(true);
    app.client.start();
    await settle();
    expect(app.state).toBe('signed-out');
  });
});
