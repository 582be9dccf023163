// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOOK } from '../../src/signed-out-style.js';
import { idToken } from '../hub.js';
import { body, example, read, Story } from './story.js';

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

  it('styles properties and parts that there are', () => {
    const css = read('elements/notice.css');
    for (const [, name] of css.matchAll(/(--slo-\w+):/g)) expect(LOOK).toContain(`var(${name},`);
    for (const [, name] of css.matchAll(/::part\((\w+)\)/g)) {
      document.body.innerHTML = '<slo-signed-out></slo-signed-out>';
      expect(document.querySelector('slo-signed-out')!.shadowRoot!.querySelector(`[part=${name}]`), name).not.toBeNull();
    }
  });
});
