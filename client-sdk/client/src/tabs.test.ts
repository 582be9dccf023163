import { describe, expect, it, vi } from 'vitest';
import { App, pass, settle } from '../test/app.js';
import { FakeHub, idToken } from '../test/hub.js';
import { Origin } from '../test/page.js';

describe('no leader: every tab keeps its own socket', () => {
  it('a frozen tab keeps nobody else from hearing', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const token = idToken();
    const frozen = await App.open(hub, { origin, token });
    const other = await App.open(hub, { origin, token });
    expect(hub.open).toHaveLength(2);
    frozen.page.document.dispatchEvent(new Event('freeze'));
    hub.signOutElsewhere();
    await settle();
    expect(other.told).toHaveLength(1);
  });

  it('a tab whose own socket is lost is told by the others, once', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const token = idToken();
    const one = await App.open(hub, { origin, token });
    const two = await App.open(hub, { origin, token });
    vi.mocked(Math.random).mockReturnValue(0.9);
    hub.connections[1]!.close(1006);
    await settle();
    const id = hub.signOutElsewhere();
    await settle();
    await pass(60_000);
    for (const app of [one, two]) expect(app.told.map((event) => event.id)).toEqual([id]);
    expect(two.state).toBe('signed-out');
  });

  it('a tab that is just fetching a token stays signed out, though there is none any more', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const token = idToken();
    let answer = (_: null): void => {};
    const slow = await App.open(hub, {
      origin,
      getToken: ({ reason }) => (reason === 'connect' ? token : new Promise<null>((resolve) => (answer = resolve))),
    });
    hub.open[0]!.refuse(4003, 'token_expired', 'token_expired');
    await App.open(hub, { origin, token });
    expect(slow.state).toBe('connecting');
    hub.signOutElsewhere();
    answer(null);
    await pass(60_000);
    expect(slow.state).toBe('signed-out');
    expect(slow.told).toHaveLength(1);
  });

  it('each acknowledges by itself, though it was told by another', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    const token = idToken();
    await App.open(hub, { origin, token });
    await App.open(hub, { origin, token });
    const id = hub.signOutElsewhere();
    await settle();
    expect(hub.acked).toEqual([id, id]);
  });

  it('crossTab: false leaves each to its socket', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await App.open(hub, { origin, crossTab: false });
    expect(origin.channels.size).toBe(0);
  });

  it('tabs of another session are not meant', async () => {
    const hub = new FakeHub();
    const origin = new Origin();
    await App.open(hub, { origin });
    const bob = await App.open(hub, { origin, token: idToken({ sub: 'bob', sid: 's2' }) });
    hub.signOutElsewhere();
    await settle();
    expect(bob.told).toEqual([]);
  });
});
