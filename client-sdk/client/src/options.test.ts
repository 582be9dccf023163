import { describe, expect, it, vi } from 'vitest';
import { App, pass, settle } from '../test/app.js';
import { FakeHub } from '../test/hub.js';

describe('transports', () => {
  it('sse first: then no WebSocket is opened while streams work', async () => {
    const hub = new FakeHub();
    await App.open(hub, { transports: ['sse', 'websocket'] });
    expect(hub.connections.map(({ via }) => via)).toEqual(['sse']);
  });

  it('websocket alone: where it is refused, nothing else is tried', async () => {
    const hub = new FakeHub();
    hub.refusesWebSockets = true;
    const app = await App.open(hub, { transports: ['websocket'] });
    await pass(120_000);
    expect(new Set(hub.connections.map(({ via }) => via))).toEqual(new Set(['websocket']));
    expect(hub.requests).toEqual([]);
    expect([app.state, app.told.length]).toEqual(['waiting', 0]);
  });
});

describe('WebSocket and fetch', () => {
  it('are used in the place of the page’s own', async () => {
    const hub = new FakeHub();
    const { WebSocket, fetch } = hub.network();
    const nowhere = new FakeHub();
    const app = new App(nowhere, { WebSocket, fetch });
    await settle();
    expect([app.state, hub.open.length]).toEqual(['connected', 1]);
    expect((await app.client.signOut()).delivered).toBe(true);
    expect([hub.requests.length, nowhere.connections.length, nowhere.requests.length]).toEqual([1, 0, 0]);
  });
});

describe('debug', () => {
  it('true writes to the console, and false to nobody', async () => {
    const written = vi.spyOn(console, 'debug').mockImplementation(() => {});
    await App.open(new FakeHub(), { debug: false });
    expect(written).not.toHaveBeenCalled();
    await App.open(new FakeHub(), { debug: true });
    expect(written).toHaveBeenCalledWith('slo-hub:', expect.anything());
  });
});

describe('no leader election by Web Locks', () => {
  it('no tab asks for a lock, whatever befalls it', async () => {
    const request = vi.fn();
    vi.stubGlobal('navigator', { locks: { request, query: request } });
    const hub = new FakeHub();
    const app = await App.open(hub);
    app.page.leave();
    app.page.comeBack();
    await settle();
    hub.signOutElsewhere();
    await settle();
    vi.unstubAllGlobals();
    expect(app.state).toBe('signed-out');
    expect(request).not.toHaveBeenCalled();
  });
});
