// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import '@angular/compiler'; // Just in time: what an app's build does ahead of time.
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { of } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApp } from 'vue';
import type { SessionsClient } from '../../src/elements.js';
import { createSlo } from '../../src/index.js';
import { settle } from '../app.js';
import { FakeHub, HUB, idToken } from '../hub.js';
import { example } from './story.js';

const loginWithPopup = vi.hoisted(() => vi.fn());
vi.mock('@auth0/auth0-react', () => ({ useAuth0: () => ({ loginWithPopup }) }));
vi.mock('@auth0/auth0-vue', () => ({ useAuth0: () => ({ loginWithPopup }) }));

let putAway: () => unknown = () => {};
afterEach(async () => {
  await putAway();
  document.body.replaceChildren();
});

/** Mounts the docs' account page of a framework into the body. */
const MOUNT: Record<string, (root: HTMLElement, client: SessionsClient) => Promise<() => unknown>> = {
  async 'Sessions.tsx'(element, client) {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    const { Sessions } = (await import(/* @vite-ignore */ example('elements/Sessions.tsx'))) as typeof import('../../examples/elements/Sessions.js');
    const root = createRoot(element);
    await act(async () => root.render(createElement(Sessions, { client })));
    return () => act(async () => root.unmount());
  },
  async 'Sessions.vue'(element, client) {
    const { default: Sessions } = (await import(/* @vite-ignore */ example('elements/Sessions.vue'))) as { default: Parameters<typeof createApp>[0] };
    const app = createApp(Sessions, { client });
    app.mount(element);
    return () => app.unmount();
  },
  async 'sessions.component.ts'(element, client) {
    const { provideZonelessChangeDetection } = await import('@angular/core');
    const { createApplication } = await import('@angular/platform-browser');
    const { AuthService } = await import('@auth0/auth0-angular');
    const { Slo } = await import('@slo-hub/client/angular');
    const { Sessions } = (await import(/* @vite-ignore */ example('elements/sessions.component.ts'))) as typeof import('../../examples/elements/sessions.component.js');
    const app = await createApplication({
      providers: [
        provideZonelessChangeDetection(),
        { provide: Slo, useValue: { client: () => client } },
        { provide: AuthService, useValue: { loginWithPopup: (options: unknown) => of(loginWithPopup(options)) } },
      ],
    });
    app.bootstrap(Sessions, element);
    return () => app.destroy();
  },
};

describe('docs/elements.md, in a framework', () => {
  it.each(Object.keys(MOUNT))('%s: lists the sessions, and signing in again goes on with what was asked', async (file) => {
    const warned = vi.spyOn(console, 'warn');
    const ended: string[] = [];
    let token = idToken();
    const fresh = idToken({ auth_time: 7 });
    loginWithPopup.mockReset().mockImplementation(() => void (token = fresh));
    const sessions = [true, false].map((current) => ({ id: `${current}`, current, active: true, device: 'Chrome', apps: [] }));
    const hub = new FakeHub();
    hub.onRequest = ({ method, url, headers }) => {
      if (!url.includes('/me/sessions')) return undefined;
      if (method === 'GET') return Response.json({ sessions: sessions.filter(({ current }) => current || !ended.length) });
      if (headers.get('authorization') !== `Bearer ${fresh}`) return Response.json({ error: 'insufficient_user_authentication' }, { status: 401 });
      return Response.json({ ended: [ended.push(url)] });
    };
    const client = createSlo({ hub: HUB, getToken: () => token, fetch: hub.network().fetch });
    const root = document.body.appendChild(document.createElement('div'));

    putAway = await MOUNT[file]!(root, client);
    await client.ready;
    await settle();
    const press = async (part: string, at: number) => {
      const list = document.querySelector('slo-sessions')!;
      list.shadowRoot!.querySelectorAll<HTMLElement>(`button[part=${part}]`)[at]!.click();
      await settle();
    };
    await press('sign-out', 1);
    await press('action', 0);

    expect(loginWithPopup).toHaveBeenCalledWith({ authorizationParams: { max_age: 0 } });
    expect(ended).toEqual([`${HUB}/api/v1/me/sessions/false`]);
    expect(warned).not.toHaveBeenCalled();
    client.stop();
  });
});
