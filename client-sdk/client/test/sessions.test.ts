// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineElements, type FreshSignIn, type SessionsElement } from '../src/elements.js';
import type { ListedSession } from '../src/sessions-api.js';
import { LOOK } from '../src/sessions-style.js';
import { App, settle } from './app.js';
import { FakeHub, idToken } from './hub.js';
import { app, LAPTOP, NOT_FRESH, PHONE, TABLET } from './listed.js';

let hub: FakeHub;
let page: App;
let list: SessionsElement;
let sessions: ListedSession[];
/** What the hub counts of all others, where it does. */
let counted: unknown;
/** What was asked of the hub's list, and with which token. */
let asked: Array<{ what: string; token: string }>;
/** Answers in another way. */
let refusal: ((request: Request) => Response | undefined) | undefined;

beforeEach(async () => {
  defineElements();
  document.documentElement.lang = 'en-GB';
  document.body.innerHTML = '<slo-sessions></slo-sessions>';
  list = document.querySelector('slo-sessions')!;
  sessions = [LAPTOP, PHONE, TABLET];
  counted = undefined;
  asked = [];
  refusal = undefined;
  hub = new FakeHub();
  hub.onRequest = (request) => {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith('/api/v1/me/sessions')) return undefined;
    const path = pathname.slice('/api/v1/me/sessions'.length) + search;
    asked.push({ what: request.method + path, token: request.headers.get('authorization')!.slice(7) });
    return refusal?.(request) ?? answer(request.method, path);
  };
  page = await App.open(hub, { fetch: hub.network().fetch });
});
afterEach(() => document.body.replaceChildren());

function answer(method: string, path: string): Response {
  if (method === 'GET') return Response.json({ sessions, others: counted });
  const isMeant = ({ id, current }: ListedSession) => (path === '?except=current' ? !current : `/${encodeURIComponent(id)}` === path);
  const ended = sessions.filter(isMeant);
  sessions = sessions.filter((session) => !isMeant(session));
  if (!ended.length && path.startsWith('/')) return Response.json({ error: 'not_found', code: 'not_found' }, { status: 404 });
  return Response.json({ ended: ended.map(({ id }) => ({ session: id, notified: 1 })) });
}

async function open(): Promise<void> {
  list.client = page.client;
  await settle();
}

const root = () => list.shadowRoot!;
const part = <E extends HTMLElement = HTMLElement>(name: string) => root().querySelector<E>(`[part~='${name}']`);
const rows = () => [...root().querySelectorAll('[part~=session]')];
const texts = (row: Element) => [...row.querySelectorAll('[part=device], [part=details] > *')].map((fact) => fact.textContent);
const notice = () => part('notice')!.hidden ? undefined : part('notice')!.querySelector('p')!.textContent;
const devices = () => rows().map((row) => row.querySelector('[part=device]')!.textContent);

async function press(button: HTMLElement | null): Promise<void> {
  button!.focus();
  button!.click();
  await settle();
}
const signOut = (at: number) => press(rows()[at]!.querySelector('button'));

describe('<slo-sessions>', () => {
  it('lists the sessions, with the token of the app, the current one first as the hub has it', async () => {
    await open();
    expect(asked).toEqual([{ what: 'GET', token: page.token }]);
    expect(rows().map(texts)).toEqual([
      ['Chrome on macOS Current', 'Active now', 'Signed in on Nov 20, 2025', '203.0.113.7', 'Notes, Shop'],
      ['Chrome on Android', 'Active 3 hours ago', 'Signed in on Oct 1, 2025', '203.0.113.7', 'Notes, Desk'],
      ['Chrome on Android', 'Active now', 'Signed in on Oct 1, 2025', '203.0.113.7', 'Portal'],
    ]);
    expect(rows().map((row) => row.getAttribute('part'))).toEqual(['session current', 'session', 'session']);
    expect(notice()).toBeUndefined();
  });

  it('gives the exact times to machines and to whoever points at them', async () => {
    await open();
    const [seen, started] = rows()[1]!.querySelectorAll('time');
    expect([seen!.dateTime, started!.dateTime]).toEqual([PHONE.last_seen_at, PHONE.started_at]);
    expect(started!.title).toMatch(/^1 October 2025 at \d\d:00$/);
  });

  it.each([
    ['30 seconds', 30, 'Active 1 minute ago'],
    ['59 minutes', 59 * 60, 'Active 59 minutes ago'],
    ['a day', 86_400, 'Active yesterday'],
    ['29 days', 29 * 86_400, 'Active 29 days ago'],
    ['30 days', 30 * 86_400, 'Active Oct 22, 2025'],
    ['a clock that is ahead', -500, 'Active 1 minute ago'],
  ])('says in words how long ago it was: %s', async (_, seconds, text) => {
    sessions = [LAPTOP, { ...PHONE, last_seen_at: new Date(Date.now() - seconds * 1_000).toISOString() }];
    await open();
    expect(texts(rows()[1]!)[1]).toBe(text);
  });

  it('shows what apps and browsers call themselves as text', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    sessions = [{ ...LAPTOP, device: evil, address: evil, apps: [app(evil)] }, { ...PHONE, device: '{device}' }];
    await open();
    expect(root().querySelector('img')).toBeNull();
    expect(texts(rows()[0]!)).toEqual(expect.arrayContaining([`${evil} Current`, evil]));
    await signOut(1);
    expect(part('status')!.textContent).toBe('{device} is signed out.');
  });

  it('leaves out what is not known, and a time that is none', async () => {
    const { address: _, ...nowhere } = PHONE;
    sessions = [LAPTOP, { ...nowhere, apps: [], started_at: 'long ago' }];
    await open();
    expect(texts(rows()[1]!)).toEqual(['Chrome on Android', 'Active 3 hours ago', 'Signed in on ']);
    expect(rows()[1]!.querySelectorAll('time')[1]!.hasAttribute('datetime')).toBe(false);
  });

  it('says so while it loads, and where there is no other session', async () => {
    sessions = [LAPTOP];
    list.client = page.client;
    expect(notice()).toBe('Loading your sessions …');
    await settle();
    expect(part('others')!.textContent).toBe('You are signed in nowhere else.');
    expect([notice(), part('everywhere')]).toEqual([undefined, null]);
  });

  it('where they cannot be loaded, it says so and tries again when asked', async () => {
    refusal = () => Response.json({ error: 'temporarily_unavailable', code: 'store' }, { status: 503 });
    await open();
    expect([notice(), rows().length]).toEqual(['Your sessions could not be loaded.', 0]);
    for (const text of ['<html>', '{}', '{"sessions":7}']) {
      refusal = () => new Response(text, { status: 200 });
      await press(part('action'));
      expect(notice()).toBe('Your sessions could not be loaded.');
    }
    refusal = undefined;
    await press(part('action'));
    expect([notice(), rows().length]).toEqual([undefined, 3]);
  });

  it('says where there may be more than it knows of', async () => {
    refusal = () => Response.json({ sessions, complete: false });
    await open();
    expect([notice(), rows().length]).toEqual(['There may be more: the sign-in service did not answer.', 3]);
    refusal = () => Response.json({ sessions, complete: true });
    await press(part('action'));
    expect([notice(), rows().length]).toEqual([undefined, 3]);
  });

  it('exchanges a token that has expired, once', async () => {
    const stale = page.token!;
    refusal = ({ headers }) => {
      if (headers.get('authorization') !== `Bearer ${stale}`) return undefined;
      page.token = idToken({ nonce: 'fresh' });
      return Response.json({ error: 'invalid_token', code: 'token_expired' }, { status: 401 });
    };
    await open();
    expect(page.asked).toEqual(['connect', 'connect', 'rejected']);
    expect([asked.map(({ token }) => token), rows().length]).toEqual([[stale, page.token], 3]);
    refusal = () => Response.json({ error: 'invalid_token', code: 'token_expired' }, { status: 401 });
    await list.refresh();
    expect([asked.length, notice()]).toEqual([4, 'You are not signed in.']);
  });

  it('takes everything away when the person is signed out, and shows nobody\'s sessions to the next', async () => {
    await open();
    hub.signOutElsewhere();
    await settle();
    expect([rows().length, notice(), part('others')!.textContent]).toEqual([0, 'You are not signed in.', '']);
    page.token = idToken({ sub: 'bob', sid: 's2', nonce: 'n2' });
    sessions = [LAPTOP];
    page.client.start();
    await settle();
    expect([rows().length, asked.at(-1)!.token]).toEqual([1, page.token]);
    list.client = null;
    expect([rows().length, notice()]).toEqual([0, undefined]);
  });

  it('takes a client from before it was defined', async () => {
    const late = document.createElement('slo-sessions');
    Object.defineProperty(late, 'client', { value: page.client, configurable: true, writable: true });
    list.replaceWith(late);
    list = late;
    await settle();
    expect(rows()).toHaveLength(3);
  });

  it('an answer that comes too late is for nobody', async () => {
    list.client = page.client;
    list.client = null;
    await settle();
    expect([rows().length, notice()]).toEqual([0, undefined]);
  });

  it('shows the list also where no channel comes about', async () => {
    hub.isMute = true;
    const muted = await App.open(hub, { fetch: hub.network().fetch });
    list.client = muted.client;
    await vi.advanceTimersByTimeAsync(1_500);
    await settle();
    expect([muted.state, rows().length]).toEqual(['connecting', 3]);
  });
});

describe('ending sessions', () => {
  it('"Sign out" ends that one, says so, and keeps the focus in the list', async () => {
    await open();
    await signOut(1);
    expect(asked.map(({ what }) => what)).toEqual(['GET', 'DELETE/b%2F2', 'GET']);
    expect(devices()).toEqual(['Chrome on macOS Current', 'Chrome on Android']);
    expect(part('status')!.textContent).toBe('Chrome on Android is signed out.');
    expect(root().activeElement).toBe(part('heading'));
  });

  it('one that is there no more is ended as well', async () => {
    await open();
    sessions = [LAPTOP];
    await signOut(1);
    expect([devices(), notice()]).toEqual([['Chrome on macOS Current'], undefined]);
    expect(part('status')!.textContent).toBe('Chrome on Android is signed out.');
  });

  it('pressed twice, it is asked once', async () => {
    await open();
    const button = rows()[1]!.querySelector('button')!;
    button.click();
    expect(part('panel')!.ariaBusy).toBe('true');
    await press(button);
    expect(asked.filter(({ what }) => what.startsWith('DELETE'))).toHaveLength(1);
    expect(part('panel')!.ariaBusy).toBeNull();
  });

  it('of the current one it signs out here, as the app does', async () => {
    await open();
    const logout = vi.fn(async () => {});
    list.client = Object.assign(page.client, { logout });
    await signOut(0);
    expect(logout).toHaveBeenCalledOnce();
    const refuse = (event: Event) => event.preventDefault();
    list.addEventListener('slo-sign-out', refuse);
    await signOut(0);
    expect(logout).toHaveBeenCalledOnce();
    expect(asked.some(({ what }) => what.startsWith('DELETE'))).toBe(false);
  });

  it('"everywhere else" asks first, with what it reaches', async () => {
    await open();
    await press(part('everywhere'));
    const dialog = part<HTMLDialogElement>('dialog')!;
    expect([dialog.open, part('question')!.textContent]).toEqual([true, 'Sign out everywhere else?']);
    expect(part('reach')!.textContent).toBe('This ends 2 sessions on 1 device, in 3 apps.');
    expect(root().activeElement).toBe(part('cancel'));
    await press(part('cancel'));
    expect([dialog.open, asked.length]).toEqual([false, 1]);
  });

  it('"everywhere else" ends all others once it is confirmed', async () => {
    await open();
    await press(part('everywhere'));
    await press(part('confirm'));
    expect(part<HTMLDialogElement>('dialog')!.open).toBe(false);
    expect(asked.map(({ what }) => what)).toEqual(['GET', 'DELETE?except=current', 'GET']);
    expect(devices()).toEqual(['Chrome on macOS Current']);
    expect(part('status')!.textContent).toBe('You are signed out everywhere else.');
  });

  it('what failed is not said to be done, and can be tried again', async () => {
    await open();
    refusal = ({ method }) => (method === 'DELETE' ? new Response(null, { status: 503 }) : undefined);
    await signOut(1);
    expect([notice(), part('status')!.textContent, rows().length]).toEqual(['That did not work. Nothing may have been signed out.', '', 3]);
    refusal = undefined;
    await press(part('action'));
    expect([notice(), rows().length]).toEqual([undefined, 2]);
  });
});

describe('sessions that are not listed', () => {
  const asks = () => press(part('everywhere')).then(() => [part('reach'), part('lapsed')].map((line) => line?.textContent));

  it('are counted by the hub: too many, and such as are probably over', async () => {
    counted = { sessions: 130, devices: 4, apps: 5, lapsed: 3 };
    await open();
    expect(part('more')!.textContent).toBe('Those used last are listed. There are 128 more.');
    expect(await asks()).toEqual([
      'This ends 130 sessions on 4 devices, in 5 apps.',
      'Ended to be certain: 3 sessions from before, probably over by now.',
    ]);
    await press(part('confirm'));
    expect(asked.map(({ what }) => what)).toEqual(['GET', 'DELETE?except=current', 'GET']);
  });

  it('can be ended where there is no other', async () => {
    sessions = [LAPTOP];
    counted = { sessions: 0, devices: 0, apps: 0, lapsed: 1 };
    await open();
    expect([part('alone')!.textContent, part('more')]).toEqual(['You are signed in nowhere else, as far as we know.', null]);
    expect(await asks()).toEqual([undefined, 'Ended to be certain: 1 session from before, probably over by now.']);
  });

  it.each([[null], ['2'], [{ sessions: 2 }], [{ sessions: '9', devices: 1, apps: 1, lapsed: 0 }]])('are none: %j', async (said) => {
    counted = said;
    await open();
    expect(await asks()).toEqual(['This ends 2 sessions on 1 device, in 3 apps.', undefined]);
  });

  it('what the issuer says stands with each: the number of its network, and that it has ended there', async () => {
    const { address: _, ...nowhere } = PHONE;
    sessions = [{ ...LAPTOP, asn: 64500, ended_at_issuer: false }, { ...nowhere, asn: 64501, ended_at_issuer: true }];
    await open();
    expect(rows().map((row) => texts(row)[3])).toEqual(['203.0.113.7, AS64500', 'Notes, Desk']);
    const ended = rows().map((row) => row.querySelector('[part=ended-at-issuer]')?.textContent);
    expect(ended).toEqual([undefined, 'It has ended at the sign-in service; apps there may still be signed in.']);
  });
});

describe('a sign-in that is too old', () => {
  const refuse = () => Response.json(NOT_FRESH, { status: 401 });
  const isStale = ({ method, headers }: Request) =>
    method === 'DELETE' && !headers.get('authorization')!.includes(idToken({ auth_time: 7 }).split('.')[1]!) ? refuse() : undefined;

  it('is said, and signing in again goes on with what was asked', async () => {
    await open();
    refusal = isStale;
    await signOut(1);
    expect(notice()).toBe('To end other sessions, sign in again first: it has been a while.');
    const asks: number[] = [];
    document.body.addEventListener('slo-fresh-sign-in', (event) => {
      const { maxAge, waitUntil } = (event as CustomEvent<FreshSignIn>).detail;
      asks.push(maxAge);
      waitUntil(Promise.resolve().then(() => void (page.token = idToken({ auth_time: 7 }))));
    }, { once: true });
    await press(part('action'));
    expect([asks, rows().length, notice()]).toEqual([[0], 2, undefined]);
    expect(part('status')!.textContent).toBe('Chrome on Android is signed out.');
  });

  it('where the app leaves the page to sign in, or the person gives up, nothing is ended', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    await open();
    refusal = isStale;
    await signOut(1);
    await press(part('action'));
    list.addEventListener('slo-fresh-sign-in', ({ detail }) => detail.waitUntil(Promise.reject(new Error('closed'))));
    await press(part('action'));
    expect(reported).toHaveBeenCalledWith(new Error('closed'));
    expect(asked.filter(({ what }) => what.startsWith('DELETE'))).toHaveLength(1);
    expect([sessions.length, notice()]).toEqual([3, 'To end other sessions, sign in again first: it has been a while.']);
    vi.unstubAllGlobals();
  });
});

describe('the list of sessions is accessible', () => {
  it('is a named section with a list, and each button says what it signs out', async () => {
    await open();
    expect(root().getElementById(part('panel')!.getAttribute('aria-labelledby')!)).toBe(part('heading'));
    expect(part('list')!.getAttribute('role')).toBe('list');
    const labels = rows().map((row) => row.querySelector('button')!.textContent);
    expect(labels).toEqual(['Sign out Chrome on macOS', 'Sign out Chrome on Android', 'Sign out Chrome on Android']);
  });

  it('says what was done, and what went wrong, in live regions that are always there', async () => {
    const regions = [...root().querySelectorAll('[role=status]')];
    await open();
    expect([...root().querySelectorAll('[role=status]')]).toEqual(regions);
    expect(regions).toEqual([part('status'), part('notice')]);
  });

  it('a list that is loaded anew takes the focus from nobody', async () => {
    await open();
    rows()[2]!.querySelector('button')!.focus();
    await list.refresh();
    expect(root().activeElement).toBe(rows()[2]!.querySelector('button'));
  });

  it('takes the page\'s texts, numbers and times in its language', async () => {
    document.documentElement.lang = 'de';
    await open();
    expect(rows()[1]!.querySelector('time')!.lang).toBe('en');
    list.setAttribute('last-active', 'Zuletzt {time}');
    list.setAttribute('reach', '{sessions} Sitzungen, {devices} Geräte, {apps} Apps');
    expect(texts(rows()[1]!)[1]).toBe('Zuletzt vor 3 Stunden');
    expect(rows()[1]!.querySelector('time')!.lang).toBe('');
    await press(part('everywhere'));
    expect(part('reach')!.textContent).toBe('2 Sitzungen, 1 Geräte, 3 Apps');
  });

  it('every colour is the system\'s or the page\'s, and nothing moves', () => {
    expect(LOOK).toMatch(/:host \{[^}]*color-scheme: light dark;/);
    expect(LOOK).not.toMatch(/animation|transition|transform|#[0-9a-f]{3}/);
    for (const name of ['color', 'background', 'border', 'radius', 'padding', 'width', 'font', 'accent']) {
      expect(LOOK).toContain(`var(--slo-${name}, `);
    }
  });
});
