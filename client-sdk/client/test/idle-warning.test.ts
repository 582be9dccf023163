// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineElements, type IdleWarningElement } from '../src/elements.js';
import { LOOK } from '../src/idle-warning-style.js';
import { App, pass, settle, sleep } from './app.js';
import { FakeHub } from './hub.js';

let hub: FakeHub;
let app: App;
let warning: IdleWarningElement;

beforeEach(async () => {
  defineElements();
  document.body.innerHTML = '<button>private</button><slo-idle-warning></slo-idle-warning>';
  warning = document.querySelector('slo-idle-warning')!;
  hub = new FakeHub();
  hub.idleTimeout = 900;
  app = await App.open(hub);
  warning.client = app.client;
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const part = <E extends HTMLElement = HTMLElement>(name: string) => warning.shadowRoot!.querySelector<E>(`[part='${name}']`)!;
const said = () => warning.shadowRoot!.querySelector('[role=status]')!.textContent;
const isOpen = () => [part<HTMLDialogElement>('dialog').open, warning.hasAttribute('open')];

/** The hub warns every page, or says something else. */
async function hears(message: Record<string, unknown>): Promise<void> {
  for (const connection of hub.open) connection.send(message);
  await settle();
}
const warn = (seconds = 60) => hears({ type: 'idle-warning', seconds_left: seconds });

describe('<slo-idle-warning>', () => {
  it('shows nothing until the hub warns, and then how long it is', async () => {
    expect(isOpen()).toEqual([false, false]);
    await warn();
    expect(isOpen()).toEqual([true, true]);
    expect(part('heading').textContent).toBe('Are you still there?');
    expect(part('message').textContent).toBe('You have not done anything for a while. You will be signed out in 60 seconds.');
    await pass(1_000);
    expect(part('time').textContent).toBe('59 seconds');
    await pass(58_000);
    expect(part('time').textContent).toBe('1 second');
  });

  it('goes by the clock: a tab that was frozen shows the right rest as soon as somebody looks', async () => {
    await warn();
    sleep(42_300);
    document.dispatchEvent(new Event('visibilitychange'));
    expect(part('time').textContent).toBe('18 seconds');
    await vi.advanceTimersByTimeAsync(700);
    expect(part('time').textContent).toBe('17 seconds');
  });

  it('a clock that is set back gives nobody more time than the hub does', async () => {
    await warn(30);
    sleep(-3_600_000);
    document.dispatchEvent(new Event('visibilitychange'));
    expect(part('time').textContent).toBe('30 seconds');
  });

  it('at the end it waits for the hub, which may have heard of somebody else', async () => {
    await warn();
    await pass(61_000);
    expect(part('message').textContent).toBe('You are being signed out.');
    expect(isOpen()).toEqual([true, true]);
    hub.signOutElsewhere('s1', { source: 'idle' });
    await settle();
    expect(isOpen()).toEqual([false, false]);
  });

  it('"Stay signed in" is reported at once, and closes it', async () => {
    app.page.press();
    await warn();
    part('stay').click();
    expect([hub.activities, ...isOpen()]).toEqual([2, false, false]);
    await hears({ type: 'idle-cancelled' });
    await pass(10_000);
    expect(isOpen()).toEqual([false, false]);
  });

  it('so does closing it by Escape', async () => {
    await warn();
    part<HTMLDialogElement>('dialog').close();
    expect([hub.activities, ...isOpen()]).toEqual([1, false, false]);
  });

  it('asks again where the hub does not confirm that somebody stays', async () => {
    await warn();
    part('stay').click();
    await pass(5_000);
    expect([...isOpen(), part('time').textContent]).toEqual([true, true, '55 seconds']);
  });

  it('what somebody does on the page is no answer while it asks, and counts again afterwards', async () => {
    await warn();
    app.page.press();
    expect(hub.activities).toBe(0);
    expect(isOpen()).toEqual([true, true]);
    await hears({ type: 'idle-cancelled' });
    app.page.press();
    expect(hub.activities).toBe(1);
  });

  it('an answer in another app closes it', async () => {
    await warn();
    await hears({ type: 'idle-cancelled' });
    expect([hub.activities, ...isOpen()]).toEqual([0, false, false]);
  });

  it('who stays while the hub is away is reported when it is back', async () => {
    await warn();
    hub.crash();
    await settle();
    part('stay').click();
    expect(isOpen()).toEqual([false, false]);
    hub.isDown = false;
    await pass(30_000);
    expect([app.state, hub.activities]).toEqual(['connected', 1]);
    expect(isOpen()).toEqual([false, false]);
  });

  it('a hub that is back and warns no more closes it; one that does shows its rest', async () => {
    await warn();
    app.page.goOnline();
    await settle();
    expect(isOpen()).toEqual([false, false]);
    await warn(21);
    expect([...isOpen(), part('time').textContent]).toEqual([true, true, '21 seconds']);
  });

  it('a client is let go of with the next one, with null, and with the element', async () => {
    const other = await App.open(hub, {});
    warning.client = other.client;
    warning.client = app.client;
    await warn();
    warning.client = null;
    expect(isOpen()).toEqual([false, false]);
    await warn();
    expect(isOpen()).toEqual([false, false]);
    warning.client = app.client;
    warning.remove();
    await warn();
    expect(isOpen()).toEqual([false, false]);
    document.body.append(warning);
    await warn();
    expect(isOpen()).toEqual([true, true]);
    expect(hub.activities).toBe(0);
  });

  it('takes a client from before it was defined', async () => {
    const late = document.createElement('slo-idle-warning');
    Object.defineProperty(late, 'client', { value: app.client, configurable: true, writable: true });
    warning.replaceWith(late);
    await warn();
    expect(late.hasAttribute('open')).toBe(true);
  });
});

describe('"Sign out now"', () => {
  it('signs out at the hub, and closes it', async () => {
    await warn();
    part('sign-out').click();
    await settle();
    expect(hub.requests.at(-1)!.url).toMatch(/\/api\/v1\/logouts$/);
    expect([app.state, ...isOpen()]).toEqual(['signed-out', false, false]);
  });

  it('calls the logout of an adapter, which ends the app\'s own session too; what it rejects with is the page\'s error', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const logout = vi.fn(() => Promise.reject(new Error('no network')));
    warning.client = Object.assign(app.client, { logout });
    await warn();
    part('sign-out').click();
    expect([part<HTMLButtonElement>('sign-out').disabled, logout.mock.calls]).toEqual([true, [[]]]);
    await settle();
    expect(reported).toHaveBeenCalledWith(new Error('no network'));
    expect([part<HTMLButtonElement>('stay').disabled, ...isOpen()]).toEqual([false, true, true]);
  });

  it('is the app\'s to do, if it wants', async () => {
    const asked: string[] = [];
    document.body.addEventListener('slo-sign-out', (event) => {
      event.preventDefault();
      asked.push((event.target as Element).localName);
    }, { once: true });
    await warn();
    part('sign-out').click();
    await settle();
    expect([asked, app.state, hub.requests.length]).toEqual([['slo-idle-warning'], 'connected', 0]);
  });
});

describe('the idle dialog is accessible', () => {
  it('is a modal alert dialog with a name and a description, and the focus on what keeps everything as it is', async () => {
    const showModal = vi.spyOn(part<HTMLDialogElement>('dialog'), 'showModal');
    await warn();
    expect(showModal).toHaveBeenCalledOnce();
    const dialog = part('dialog');
    expect(dialog.getAttribute('role')).toBe('alertdialog');
    const named = (by: string) => warning.shadowRoot!.getElementById(dialog.getAttribute(by)!);
    expect([named('aria-labelledby'), named('aria-describedby')]).toEqual([part('heading'), part('message')]);
    expect(warning.shadowRoot!.activeElement).toBe(part('stay'));
    expect([part('stay').textContent, part('sign-out').textContent]).toEqual(['Stay signed in', 'Sign out now']);
  });

  it('tells a screen reader the rest at 30 and 10 seconds and at the end, besides what it reads first', async () => {
    await warn();
    expect(part('time').role).toBe('timer'); // Which no screen reader reads by itself.
    const all: string[] = [];
    for (let second = 0; second < 62; second++) {
      await pass(1_000);
      if (all.at(-1) !== said() && said()) all.push(said()!);
    }
    expect(all.map((text) => /\d+ seconds/.exec(text)?.[0] ?? text)).toEqual(['30 seconds', '10 seconds', 'You are being signed out.']);
  });

  it('tells it at 60 seconds too where the warning came before', async () => {
    await warn(75);
    await pass(16_000);
    expect(said()).toContain('60 seconds');
  });

  it('a mark that was slept through is made up for, with the rest as it is then', async () => {
    await warn();
    sleep(37_000);
    document.dispatchEvent(new Event('visibilitychange'));
    expect(said()).toContain('23 seconds');
  });

  it('takes the page\'s texts and numbers in its language, and marks its own as English', async () => {
    document.documentElement.lang = 'de';
    await warn();
    expect(['heading', 'message', 'stay', 'sign-out'].map((name) => part(name).lang)).toEqual(['en', 'en', 'en', 'en']);
    const texts = { heading: 'Noch da?', message: 'Abmeldung in {time}!', stay: 'Bleiben', 'sign-out': 'Abmelden', ending: 'Schluss.' };
    for (const [name, text] of Object.entries(texts)) warning.setAttribute(name, text);
    expect(part('message').textContent).toBe('Abmeldung in 60 Sekunden!');
    expect(['heading', 'stay', 'sign-out'].map((name) => part(name).textContent)).toEqual(['Noch da?', 'Bleiben', 'Abmelden']);
    expect(['heading', 'message', 'stay', 'sign-out'].map((name) => part(name).lang)).toEqual(['', '', '', '']);
    await pass(60_000);
    expect(part('message').textContent).toBe('Schluss.');
    document.documentElement.lang = '';
  });

  it('shows texts as texts', async () => {
    warning.setAttribute('message', '<img src=x onerror=alert(1)> {time}');
    await warn();
    expect(part('message').querySelector('img')).toBeNull();
    expect(part('message').textContent).toBe('<img src=x onerror=alert(1)> 60 seconds');
  });

  it('nothing moves but where motion is welcome, and every colour can be set', () => {
    const [still, moving, ...more] = LOOK.split('@media (prefers-reduced-motion: no-preference)');
    expect(still).not.toMatch(/animation|transition|transform/);
    expect([moving?.includes('animation: appear'), more]).toEqual([true, []]);
    expect(LOOK).toMatch(/:host \{[^}]*color-scheme: light dark;/);
    for (const name of ['color', 'background', 'border', 'radius', 'padding', 'width', 'font', 'accent', 'accent-text', 'backdrop']) {
      expect(LOOK).toContain(`var(--slo-${name}, `);
    }
  });
});
