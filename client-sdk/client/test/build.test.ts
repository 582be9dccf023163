import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildAlone, buildScript, INTERNAL, SCRIPTS } from '../build.mjs';
import type { endFrontchannelSession } from '../src/frontchannel.js';
import { pass, settle } from './app.js';
import { FakeFrame, NOTES } from './frame.js';
import { FakeHub, HUB, idToken } from './hub.js';
import { FakePage } from './page.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const KIB = 1024;

describe('the size, minified and gzipped', () => {
  it.each([
    ['core', 'src/index.ts', 4.125 * KIB],
    ['core with the Auth0 adapter', 'src/auth0.ts', 5 * KIB],
    ['the page for the front channel', 'src/frontchannel.ts', 1.25 * KIB],
    ['the script for a <script> tag', 'src/iife.ts', 5.125 * KIB],
    ['the signed-out notice alone', 'src/signed-out-element.ts', 2 * KIB],
    ['the idle dialog alone', 'src/idle-warning-element.ts', 2.5 * KIB],
    ['the list of sessions alone', 'src/sessions-element.ts', 4.75 * KIB],
    ['all elements', 'src/elements.ts', 6.75 * KIB],
    ['core with the oidc-client-ts adapter', 'src/oidc.ts', 5 * KIB],
    ['core with the React adapter, the notice and the dialog', 'src/react.ts', 8.5 * KIB],
    ['core with the Vue adapter, the notice and the dialog', 'src/vue.ts', 8.5 * KIB],
    ['core with the Angular adapter, the notice and the dialog', 'src/angular.ts', 8.5 * KIB],
  ])('%s', async (name, entry, most) => {
    vi.useRealTimers();
    const size = gzipSync(await buildAlone(entry), { level: 9 }).length;
    console.log(`${name}: ${size} bytes, at most ${most}`);
    expect(size).toBeLessThanOrEqual(most);
  });
});

describe('dist-iife, for script tags', () => {
  let checkedIn: string;
  beforeAll(() => void (checkedIn = readFileSync(`${ROOT}dist-iife/slo-hub.js`, 'utf8')));
  beforeEach(() => void vi.useRealTimers());

  it.each(SCRIPTS)('%s is what the sources make; if not: npm run build', async (name, what) => {
    const isFresh = readFileSync(`${ROOT}dist-iife/${name}`, 'utf8') === (await buildScript(what));
    expect(isFresh, 'out of date: npm run build, and commit it').toBe(true);
  });

  it('tells the whole story: connects, is told, hides, acknowledges, signs out', async () => {
    vi.useFakeTimers();
    const hub = new FakeHub();
    const page = new FakePage(hub.network());
    const context = vm.createContext({
      ...{ document: page.document, location: page.location, localStorage: page.localStorage, fetch: page.fetch },
      ...{ WebSocket: page.WebSocket, BroadcastChannel: page.BroadcastChannel, reportError: page.reportError },
      ...{ setTimeout, clearTimeout, setInterval, clearInterval, Date, URL, TextDecoder, atob, AbortController, AbortSignal, console },
      addEventListener: page.addEventListener.bind(page),
    });
    const told: string[] = [];
    const app = { hub: HUB, token: idToken({ nonce: 'n1' }), told };
    vm.runInContext(checkedIn, context);
    const open = vm.runInContext(
      `app => SloHub.createSlo({ hub: app.hub, getToken: () => app.token, curtain: true, onSignedOut: e => void app.told.push(e.id) })`,
      context,
    ) as (app: object) => { state: string; start(): void; signOut(): Promise<{ delivered: boolean }> };
    const slo = open(app);
    await settle();
    expect(slo.state).toBe('connected');
    page.leave();
    expect(page.isHidden).toBe(true);
    const id = hub.signOutElsewhere();
    page.comeBack();
    await settle();
    expect([slo.state, ...told, ...hub.acked]).toEqual(['signed-out', id, id]);
    expect(page.isHidden).toBe(false);
    await pass(60_000);
    app.token = idToken({ nonce: 'n2' });
    hub.refusesWebSockets = true;
    slo.start();
    await settle();
    expect(slo.state).toBe('connected');
    expect((await slo.signOut()).delivered).toBe(true);
    expect(page.localStorage.getItem(`slo-hub:${HUB}`)).toBeNull();
  });

  it('ends the session on the app\'s page for the front channel', async () => {
    const frame = new FakeFrame({ above: NOTES, stored: undefined, isSameSite: true, hasThirdPartyCookies: true, search: '?sid=s1' });
    const context = vm.createContext({ URL, URLSearchParams, setTimeout });
    vm.runInContext(checkedIn, context);
    const end = vm.runInContext('options => SloHub.endFrontchannelSession(options)', context) as typeof endFrontchannelSession;
    const ended: unknown[] = [];
    const ending = end({ hub: NOTES, signOut: (logout) => void ended.push({ ...logout }), window: frame.asWindow });
    frame.hears({ type: 'slo-frontchannel-logout', nonce: 'n1' });
    expect({ ...(await ending) }).toEqual({ acknowledged: true, storage: 'shared' });
    expect(ended).toEqual([{ sid: 's1', storage: 'shared' }]);
    expect(frame.posted.map((message) => ({ ...(message as object) }))).toEqual([
      { type: 'slo-frontchannel-ready' },
      { type: 'slo-frontchannel-done', nonce: 'n1' },
    ]);
  });

  it('shortens no name that is seen from outside', () => {
    const ours = ['types', 'errors', 'login', 'auth0', 'frontchannel', 'frontchannel-storage'];
    const elements = ['signed-out-element', 'idle-warning-element', 'sessions-element', 'sessions-api', 'sessions-words', 'leave', 'element'];
    const files = [...ours, ...elements, 'follow', 'oidc', 'elements', 'react', 'vue', 'angular'];
    const outside = files.map((file) => readFileSync(`${ROOT}src/${file}.ts`, 'utf8')).join();
    for (const name of INTERNAL) expect(outside).not.toMatch(new RegExp(`(readonly |  )${name}\\??[:(]`));
  });
});
