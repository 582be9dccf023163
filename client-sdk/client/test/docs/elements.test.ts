// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TEXTS } from '../../src/sessions-words.js';
import { LOOK } from '../../src/signed-out-style.js';
import { createSlo } from '../../src/index.js';
import { HUB, idToken } from '../hub.js';
import { body, example, read, Story } from './story.js';

const DOC = path.join(import.meta.dirname, '../../../docs/elements.md');

let app: Story;
/** What the back end was asked. */
let asked: string[];
let token: string | null;

beforeEach(() => {
  app = new Story(body('elements/index.html'), () => import(/* @vite-ignore */ example('elements/main.ts')));
  token = idToken();
  asked = [];
  app.browser.backEnd = ({ method, url }) => {
    asked.push(`${method} ${new URL(url).pathname}`);
    return token ? new Response(token) : new Response(null, { status: 204 });
  };
});
afterEach(() => app.close());

describe('docs/elements.md', () => {
  it('hears of a sign-out elsewhere, ends the session at the back end, and tells', async () => {
    await app.open();
    await app.browser.see(() => app.browser.hub.open.length > 0);
    await app.browser.settle();
    await app.isSignedOutElsewhere();
    expect(asked).toEqual(['GET /session/id-token', 'DELETE /session']);
    expect(document.querySelector('main')).toBeNull();
    expect(app.notice?.shadowRoot?.querySelector('[part=heading]')?.textContent).toBe('Abgemeldet');
    expect(app.text).toBe('Wieder anmelden');
  });

  it('connects to nothing where nobody is signed in', async () => {
    token = null;
    await app.open();
    await app.browser.settle();
    expect([asked, app.browser.hub.connections.length, app.notice]).toEqual([['GET /session/id-token'], 0, null]);
  });

  it('asks an idle person, and "Sign out now" ends the session at the back end too', async () => {
    app.browser.hub.idleTimeout = 900;
    await app.open();
    await app.browser.see(() => app.browser.hub.open.length > 0);
    await app.browser.settle();
    app.browser.hub.open[0]!.send({ type: 'idle-warning', seconds_left: 60 });
    const warning = document.querySelector('slo-idle-warning')!;
    await app.browser.see(() => warning.hasAttribute('open'));
    warning.shadowRoot!.querySelector<HTMLElement>('[part=sign-out]')!.click();
    await app.browser.see(() => app.browser.navigated.length > 0);
    expect(asked).toEqual(['GET /session/id-token', 'DELETE /session']);
    expect(app.browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
  });

  it('lists the sessions, and has the person sign in again before it ends one', async () => {
    const { showSessions } = (await import(/* @vite-ignore */ example('elements/account.ts'))) as typeof import('../../examples/elements/account.js');
    const ended: string[] = [];
    const [mine, other] = [true, false].map((current) => ({ id: `${current}`, current, active: true, device: 'Chrome', apps: [] }));
    app.browser.hub.onRequest = ({ method, url, headers }) => {
      if (!url.includes('/me/sessions')) return undefined;
      if (method === 'GET') return Response.json({ sessions: ended.length ? [mine] : [mine, other] });
      if (headers.get('authorization') !== `Bearer ${token}`) return Response.json({ error: 'insufficient_user_authentication' }, { status: 401 });
      return Response.json({ ended: [ended.push(url)] });
    };
    let held = idToken();
    const loginWithPopup = vi.fn(async () => void (held = token = idToken({ auth_time: 7 })));
    document.body.innerHTML = '<slo-sessions></slo-sessions>';
    const slo = createSlo({ hub: HUB, getToken: () => held });
    showSessions({ loginWithPopup } as never, slo as never);
    const press = async (part: string, at = 0) => {
      const all = () => [...document.querySelector('slo-sessions')!.shadowRoot!.querySelectorAll<HTMLElement>(`button[part=${part}]`)];
      await app.browser.see(() => all().length > at);
      all()[at]!.click();
    };
    token = 'fresh';
    await press('sign-out', 1);
    await press('action');
    await app.browser.see(() => ended.length > 0);
    expect(loginWithPopup).toHaveBeenCalledWith({ authorizationParams: { max_age: 0 } });
    expect(ended).toEqual([`${HUB}/api/v1/me/sessions/false`]);
    slo.stop();
  });

  it('names every text of the list, and no other', () => {
    const [, names] = /Every text is an attribute: ([^]*?)\. Parts/.exec(readFileSync(DOC, 'utf8'))!;
    const named = [...names!.replace(/\([^)]*\)/g, '').matchAll(/`([\w-]+)`/g)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(TEXTS).sort());
  });

  it('styles properties and parts that there are', () => {
    const css = read('elements/notice.css');
    for (const [, name] of css.matchAll(/(--slo-\w+):/g)) expect(LOOK).toContain(`var(${name},`);
    for (const [, name] of css.matchAll(/::part\((\w+)\)/g)) {
      document.body.innerHTML = '<slo-signed-out></slo-signed-out>';
      expect(document.querySelector('slo-signed-out')!.shadowRoot!.querySelector(`[part=${name}]`), name).not.toBeNull();
    }
  });
});
