import { describe, expect, it, vi } from 'vitest';
import { pass, settle } from '../test/app.js';
import { FakeFrame, NOTES, ownTab } from '../test/frame.js';
import { HUB } from '../test/hub.js';
import {
  endFrontchannelSession,
  markFrontchannelStorage,
  type FrontchannelLogout,
  type FrontchannelOptions,
  type FrontchannelResult,
} from './frontchannel.js';

const ASK = { type: 'slo-frontchannel-logout', nonce: 'n1' };
const READY = { type: 'slo-frontchannel-ready' };
const DONE = { type: 'slo-frontchannel-done', nonce: 'n1' };
const failed = (code: string) => ({ type: 'slo-frontchannel-failed', nonce: 'n1', code });
const SESSION = '?iss=https%3A%2F%2Facme.eu.auth0.com%2F&sid=s1';

type Nature = ConstructorParameters<typeof FakeFrame>[0];

/** The app's page in a frame, as a test sees it. Of another site than the page above unless it is said. */
class Opened {
  readonly frame: FakeFrame;
  readonly ended: FrontchannelLogout[] = [];
  result: FrontchannelResult | undefined;

  constructor({ nature = {}, ...options }: Partial<FrontchannelOptions> & { nature?: Partial<Nature> } = {}) {
    const elsewhere = { above: HUB, stored: new Map<string, string>(), isSameSite: false, hasThirdPartyCookies: false };
    this.frame = new FakeFrame({ ...elsewhere, search: SESSION, ...nature });
    const signOut = (logout: FrontchannelLogout) => void this.ended.push(logout);
    const all = { hub: `${HUB}/some/path`, signOut, window: this.frame.asWindow, ...options };
    void endFrontchannelSession(all).then((result) => (this.result = result));
  }

  /** What the page above was told after the frame had said that it is ready. */
  get answers(): unknown[] {
    return this.frame.posted.slice(1);
  }

  async asked(): Promise<this> {
    this.frame.hears(ASK);
    await settle();
    return this;
  }
}

/** The storage of the app's tabs, one of which has left its mark. */
function markedByATab(): Map<string, string> {
  const stored = new Map<string, string>();
  markFrontchannelStorage(ownTab(stored));
  return stored;
}

describe('nothing ends before the hub\'s own page asks', () => {
  it('the frame says that it is ready, and waits', async () => {
    const app = new Opened();
    await pass(4_999);
    expect(app.frame.posted).toEqual([READY]);
    expect([app.ended, app.frame.document.written, app.result]).toEqual([[], [], undefined]);
  });

  it('then the named session ends, and the hub is told with its own nonce', async () => {
    const app = await new Opened({ sessionIn: 'server' }).asked();
    expect(app.ended).toEqual([{ iss: 'https://acme.eu.auth0.com/', sid: 's1', storage: 'partitioned' }]);
    expect(app.frame.posted).toEqual([READY, DONE]);
    expect(app.result).toEqual({ acknowledged: true, storage: 'partitioned' });
  });

  it('a page of another origin that frames this one signs nobody out, and learns nothing', async () => {
    const app = await new Opened({ nature: { above: 'https://evil.example' }, sessionIn: 'server' }).asked();
    await pass(5_000);
    expect([app.ended, app.frame.posted]).toEqual([[], []]);
    expect(app.result).toEqual({ acknowledged: false, storage: 'unknown' });
  });

  it.each<[string, unknown, { source?: object; origin?: string }]>([
    ['another window of the hub\'s origin', ASK, { source: {} }],
    ['another origin in the parent\'s place', ASK, { origin: 'https://evil.example' }],
    ['an origin that only begins like the hub\'s', ASK, { origin: `${HUB}.evil.example` }],
    ['the hub\'s page, of something else', { type: 'slo-frontchannel-other', nonce: 'n1' }, {}],
    ['the hub\'s page, saying nothing', null, {}],
    ['the hub\'s page, with a text', 'slo-frontchannel-logout', {}],
  ])('a message from %s is not heard, and the one that counts still is', async (_, data, from) => {
    const app = new Opened({ sessionIn: 'server' });
    app.frame.hears(data, from);
    await settle();
    expect(app.ended).toEqual([]);
    expect((await app.asked()).answers).toEqual([DONE]);
  });

  it('only the first is heard', async () => {
    const app = await new Opened({ sessionIn: 'server' }).asked();
    app.frame.hears({ ...ASK, nonce: 'n2' });
    await settle();
    expect(app.ended).toHaveLength(1);
    expect(app.answers).toEqual([DONE]);
  });

  it('a hub\'s page that is framed itself is not the hub\'s logout page', async () => {
    const frame = new Opened().frame;
    frame.top = {};
    const signOut = vi.fn();
    const ending = endFrontchannelSession({ hub: HUB, signOut, window: frame.asWindow });
    frame.hears(ASK);
    expect(await ending).toEqual({ acknowledged: false, storage: 'unknown' });
    expect(signOut).not.toHaveBeenCalled();
  });

  it('opened in a tab of its own, the page does nothing', async () => {
    const signOut = vi.fn();
    const result = await endFrontchannelSession({ hub: HUB, signOut, window: ownTab(new Map()) });
    expect(result).toEqual({ acknowledged: false, storage: 'unknown' });
    expect(signOut).not.toHaveBeenCalled();
  });

  it('an answer that comes after 5 s comes too late', async () => {
    const app = new Opened({ sessionIn: 'server' });
    await pass(5_000);
    expect(app.result).toEqual({ acknowledged: false, storage: 'unknown' });
    expect((await app.asked()).ended).toEqual([]);
  });
});

describe('a session is acknowledged only if it is over', () => {
  it('once signOut is done, and not before', async () => {
    let done = () => {};
    const app = await new Opened({ sessionIn: 'server', signOut: () => new Promise<void>((resolve) => (done = resolve)) }).asked();
    expect(app.answers).toEqual([]);
    done();
    await settle();
    expect(app.answers).toEqual([DONE]);
  });

  it.each<[string, () => void | Promise<void>]>([
    ['throws', () => { throw new Error('no'); }],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('not when signOut %s; the page\'s own error says why', async (_, signOut) => {
    const app = await new Opened({ sessionIn: 'server', signOut }).asked();
    expect(app.answers).toEqual([failed('sign_out_failed')]);
    expect(app.result?.acknowledged).toBe(false);
    const error = expect.objectContaining({ name: 'SloError', code: 'handler_failed', cause: new Error('no') }) as unknown;
    expect(app.frame.reportError).toHaveBeenCalledExactlyOnceWith(error);
  });

  it('not when signOut takes longer than 2 s, even if it ends later', async () => {
    let done = () => {};
    const app = await new Opened({ sessionIn: 'server', signOut: () => new Promise<void>((resolve) => (done = resolve)) }).asked();
    await pass(1_999);
    expect(app.answers).toEqual([]);
    await pass(1);
    done();
    await settle();
    expect(app.answers).toEqual([failed('sign_out_failed')]);
    expect(app.result?.acknowledged).toBe(false);
  });

  it.each([
    ['sid', `${SESSION}&sid=s2`],
    ['iss', `${SESSION}&iss=`],
  ])('an address with two values of %s ends nothing', async (_, search) => {
    const app = await new Opened({ sessionIn: 'server', nature: { search } }).asked();
    expect(app.ended).toEqual([]);
    expect(app.answers).toEqual([failed('sign_out_failed')]);
    expect(String(app.frame.reportError.mock.calls[0]![0])).not.toContain('s1');
  });

  it('what the address does not name is absent; the app\'s own query is not looked at', async () => {
    const app = await new Opened({ sessionIn: 'server', nature: { search: '?tenant=7&tenant=8&sid=' } }).asked();
    expect(app.ended).toEqual([{ storage: 'partitioned' }]);
  });
});

/** What a browser shows a frame below a page of another site, of the same site, and of the same origin. */
const ELSEWHERE = {};
const CHROMIUM_WITH_THIRD_PARTY_COOKIES = { hasThirdPartyCookies: true };
const REFUSES_STORAGE = { stored: undefined };
const SAME_SITE = { isSameSite: true, hasThirdPartyCookies: true };

describe('what lives in the browser is over only where the frame has what the tabs have', () => {
  it.each<[FrontchannelOptions['sessionIn'], string, Partial<Nature>, FrontchannelResult['storage']]>([
    ['storage', 'below another site', ELSEWHERE, 'partitioned'],
    ['storage', 'below another site, where third-party cookies are allowed', CHROMIUM_WITH_THIRD_PARTY_COOKIES, 'partitioned'],
    ['storage', 'below another site, where storage is refused', REFUSES_STORAGE, 'partitioned'],
    ['storage', 'below the same site, unmarked, as always in WebKit', SAME_SITE, 'unknown'],
    ['storage', 'below the same site, marked', { ...SAME_SITE, stored: markedByATab() }, 'shared'],
    ['storage', 'below another site, marked: a browser that does not partition', { stored: markedByATab() }, 'shared'],
    ['storage', 'below its own origin', { above: NOTES }, 'shared'],
    ['cookie', 'below another site', ELSEWHERE, 'partitioned'],
    ['cookie', 'below another site, where third-party cookies are allowed', CHROMIUM_WITH_THIRD_PARTY_COOKIES, 'unknown'],
    ['cookie', 'below another site, though storage is marked', { stored: markedByATab() }, 'partitioned'],
    ['cookie', 'below the same site', SAME_SITE, 'shared'],
    ['cookie', 'below its own origin', { above: NOTES }, 'shared'],
  ])('%s, %s', async (sessionIn, _, nature, storage) => {
    const app = await new Opened({ sessionIn: sessionIn!, nature, hub: nature.above ?? HUB }).asked();
    const acknowledged = storage === 'shared';
    expect(app.ended).toEqual([expect.objectContaining({ storage })]);
    expect(app.answers).toEqual([acknowledged ? DONE : failed('partitioned')]);
    expect(app.result).toEqual({ acknowledged, storage });
  });

  it('storage is what is looked at unless another place is named', async () => {
    const app = await new Opened({ nature: SAME_SITE }).asked();
    expect(app.result).toEqual({ acknowledged: false, storage: 'unknown' });
  });

  it('a browser without the Storage Access API, or a sandbox without cookies, keeps the frame out', async () => {
    const app = new Opened({ sessionIn: 'cookie' });
    Object.defineProperty(app.frame, 'document', { value: {
      get cookie(): string { throw new Error('SecurityError'); },
      set cookie(_: string) { throw new Error('SecurityError'); },
    } });
    expect((await app.asked()).answers).toEqual([failed('partitioned')]);
  });

  it('no probe is left behind', async () => {
    const app = await new Opened({ sessionIn: 'cookie', nature: SAME_SITE }).asked();
    expect(app.frame.document.written).toHaveLength(2);
    expect(app.frame.document.cookie).toBe('');
  });
});

describe('the mark', () => {
  it('is left by a tab of the app\'s own, and by no frame', () => {
    expect(markedByATab().size).toBe(1);
    const stored = new Map<string, string>();
    markFrontchannelStorage(new Opened({ nature: { stored } }).frame.asWindow);
    expect(stored.size).toBe(0);
  });

  it('where storage is refused, or there is none, nothing happens', () => {
    expect(() => markFrontchannelStorage(ownTab(undefined))).not.toThrow();
    expect(() => markFrontchannelStorage()).not.toThrow();
  });
});

describe('options that make no sense', () => {
  it.each<[string, object]>([
    ['a hub without a scheme', { hub: 'logout.example.com' }],
    ['a hub that has no origin', { hub: 'mailto:hub@example.com' }],
    ['no signOut', { signOut: undefined }],
    ['an unknown place', { sessionIn: 'cookies' }],
  ])('%s', async (_, wrong) => {
    const options = { hub: HUB, signOut: () => {}, window: ownTab(new Map()), ...wrong } as FrontchannelOptions;
    await expect(endFrontchannelSession(options)).rejects.toMatchObject({ name: 'SloError', code: 'bad_option' });
  });
});
