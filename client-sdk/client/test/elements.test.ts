// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineElements, type SignedOutEvent, type SignedOutNoticeElement } from '../src/elements.js';
import { LOOK } from '../src/signed-out-style.js';

const EVENT: SignedOutEvent = {
  id: '01JD6ZKQ3V8M4T9XW2C5B7N001',
  issuer: 'https://acme.eu.auth0.com/',
  scope: 'session',
  source: 'app',
  reason: 'You signed out in Shop',
  occurredAt: '2025-11-21T08:00:00.000Z',
};
const { reason: _, ...WITHOUT_REASON } = EVENT;

let notice: SignedOutNoticeElement;

beforeEach(() => {
  defineElements();
  document.body.innerHTML = '<button>private</button><slo-signed-out><a href="/login">Sign in</a></slo-signed-out>';
  notice = document.querySelector('slo-signed-out')!;
});
afterEach(() => document.body.replaceChildren());

const part = (name: string) => notice.shadowRoot!.querySelector<HTMLElement>(`[part='${name}']`)!;
const isDrawn = (name: string) => getComputedStyle(part(name)).display !== 'none';

/** Tells it, and lets it be announced. */
function tell(event: SignedOutEvent): void {
  notice.event = event;
  vi.advanceTimersByTime(100);
}

describe('<slo-signed-out>', () => {
  it('shows nothing until it is told', () => {
    expect(['heading', 'time', 'actions'].filter(isDrawn)).toEqual([]);
    expect([part('message').textContent, notice.hasAttribute('open')]).toEqual(['', false]);
    tell(EVENT);
    expect(['heading', 'time', 'actions'].filter(isDrawn)).toEqual(['heading', 'time', 'actions']);
    expect(notice.hasAttribute('open')).toBe(true);
  });

  it('says why, and when, in the words of the other app', () => {
    document.documentElement.lang = 'en-GB';
    tell(EVENT);
    expect(part('heading').textContent).toBe('You are signed out');
    expect(part('message').textContent).toBe('You signed out in Shop');
    expect(part('time').getAttribute('datetime')).toBe(EVENT.occurredAt);
    expect(part('time').textContent).toMatch(/^21 Nov 2025, /);
  });

  it('shows that as text, never as HTML', () => {
    tell({ ...EVENT, reason: '<img src=x onerror=alert(1)>' });
    expect(part('message').textContent).toBe('<img src=x onerror=alert(1)>');
    expect(part('message').children).toHaveLength(0);
  });

  it.each([
    ['app', 'You signed out in another app.'],
    ['redirect', 'You signed out in another app.'],
    ['backchannel', 'Your session was ended at the sign-in service.'],
    ['session_api', 'You signed out from another device.'],
    ['admin', 'You were signed out by an administrator.'],
    ['idle', 'You were signed out after a time without activity.'],
    ['absolute', 'Your session had reached its longest time.'],
    ['signal', 'Your session was ended to protect your account.'],
    ['of a newer hub', 'Your session has ended.'],
    ['constructor', 'Your session has ended.'],
  ])('without a reason, it says something for the source %s', (source, text) => {
    tell({ ...WITHOUT_REASON, source });
    expect(part('message').textContent).toBe(text);
  });

  it('takes the page\'s own texts, also later, and marks its own as English', () => {
    document.documentElement.lang = 'de';
    tell(WITHOUT_REASON);
    expect([part('heading').lang, part('message').lang]).toEqual(['en', 'en']);
    notice.setAttribute('heading', 'Abgemeldet');
    notice.setAttribute('message', 'Deine Sitzung ist zu Ende.');
    expect(part('heading').textContent).toBe('Abgemeldet');
    expect(part('message').textContent).toBe('Deine Sitzung ist zu Ende.');
    expect([part('heading').lang, part('message').lang]).toEqual(['', '']);
  });

  it('a text of the page for one source goes before the one for all, and the reason before both', () => {
    notice.setAttribute('message', 'Sitzung beendet.');
    notice.setAttribute('message-session-api', 'Auf einem anderen Gerät abgemeldet.');
    tell({ ...WITHOUT_REASON, source: 'session_api' });
    expect(part('message').textContent).toBe('Auf einem anderen Gerät abgemeldet.');
    notice.setAttribute('message-session-api', 'Anderswo abgemeldet.');
    expect(part('message').textContent).toBe('Anderswo abgemeldet.');
    tell({ ...WITHOUT_REASON, source: 'idle' });
    expect(part('message').textContent).toBe('Sitzung beendet.');
    tell({ ...EVENT, source: 'session_api' });
    expect(part('message').textContent).toBe('You signed out in Shop');
  });

  it('a time that is none is left out', () => {
    tell({ ...EVENT, occurredAt: 'yesterday' });
    expect(part('time').hidden).toBe(true);
  });

  it('null puts it away', () => {
    tell(EVENT);
    notice.event = null;
    vi.advanceTimersByTime(1_000);
    expect([notice.hasAttribute('open'), part('message').textContent, isDrawn('heading')]).toEqual([false, '', false]);
  });

  it('takes an event from before it was defined', () => {
    const late = document.createElement('slo-signed-out');
    Object.defineProperty(late, 'event', { value: EVENT, configurable: true, writable: true });
    document.body.append(late);
    expect(late.hasAttribute('open')).toBe(true);
    expect(Object.hasOwn(late, 'event')).toBe(false);
  });

  it('defining it again does no harm', () => {
    expect(() => defineElements()).not.toThrow();
  });
});

describe('the signed-out notice is accessible', () => {
  it('the focus moves to the heading, at once', () => {
    document.querySelector('button')!.focus();
    notice.event = EVENT;
    expect(document.activeElement).toBe(notice);
    expect(notice.shadowRoot!.activeElement).toBe(part('heading'));
    expect([part('heading').tagName, part('heading').tabIndex]).toEqual(['H1', -1]);
  });

  it('also where it is put on the page with its event', () => {
    notice.remove();
    notice.event = EVENT;
    document.body.append(notice);
    expect(notice.shadowRoot!.activeElement).toBe(part('heading'));
  });

  it('the message comes into a live region that was there before it', () => {
    const region = part('message').closest('[role=status]')!;
    expect(region.closest('[hidden]')).toBeNull();
    expect(getComputedStyle(region).display).not.toBe('none');
    notice.event = EVENT;
    expect(region.textContent).toBe('');
    vi.advanceTimersByTime(100);
    expect(region.textContent).toBe('You signed out in Shop');
  });

  it('nothing moves but where motion is welcome', () => {
    const [still, moving, ...more] = LOOK.split('@media (prefers-reduced-motion: no-preference)');
    expect(still).not.toMatch(/animation|transition|transform/);
    expect(moving).toMatch(/animation: appear/);
    expect(more).toEqual([]);
  });

  it('is light and dark by the system\'s colours, and every colour can be set', () => {
    const colours = LOOK.match(/(?:^|\s)(?:color|background|border):[^;]*/g)!;
    expect(colours).toHaveLength(3);
    for (const colour of colours) expect(colour).toMatch(/var\(--slo-\w+, (?:1px solid )?(?:CanvasText|Canvas|GrayText)\)/);
    expect(LOOK).toMatch(/:host \{[^}]*color-scheme: light dark;/);
  });

  it('needs neither inline style nor inline script, which a page\'s policy may forbid', () => {
    expect(notice.shadowRoot!.querySelectorAll('style, script, [style]')).toHaveLength(0);
    expect(notice.shadowRoot!.adoptedStyleSheets).toHaveLength(1);
  });

  it('what can be done next is slotted in, and stays the page\'s own', () => {
    const slot = part('actions').querySelector('slot')!;
    expect(slot.assignedElements().map((element) => element.textContent)).toEqual(['Sign in']);
  });
});
