import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { installInto, run as runIn } from '../../test/pack.js';

const INSTALLED = path.join(import.meta.dirname, '../../node_modules');
let folder: string;

/** A server's folder: the packed package, and the framework that the app has. */
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'slo-hub-server-'));
  installInto(folder, 'client');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void vi.useRealTimers());

function install(...names: string[]): void {
  for (const name of names) {
    const at = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(at), { recursive: true });
    symlinkSync(path.join(INSTALLED, name), at);
  }
}

/** Runs a program there, in which reaching for the network is an error. */
function run(program: string): string {
  return runIn(folder, `globalThis.fetch = globalThis.WebSocket = () => { throw new Error('network') };\n${program}`);
}

describe('rendered on a server, the packed package is inert', () => {
  it('elements', () => {
    const said = run(`
      import { defineElements, SignedOutNoticeElement } from '@slo-hub/client/elements';
      console.log(defineElements(), typeof SignedOutNoticeElement);
    `);
    expect(said).toBe('undefined function');
  });

  it('oidc-client-ts', () => {
    install('oidc-client-ts', 'jwt-decode');
    const said = run(`
      import { InMemoryWebStorage, UserManager, WebStorageStateStore } from 'oidc-client-ts';
      import { withOidc } from '@slo-hub/client/oidc';
      const store = () => new WebStorageStateStore({ store: new InMemoryWebStorage() });
      const users = new UserManager({
        authority: 'https://acme.eu.auth0.com', client_id: 'notes', redirect_uri: 'https://notes.example/',
        userStore: store(), stateStore: store(),
      });
      const slo = withOidc(users, { hub: 'https://hub.example', curtain: true });
      console.log(await slo.ready, slo.state, (await slo.signOut()).delivered);
    `);
    expect(said).toBe('idle idle false');
  });

  it('react', () => {
    install('react', 'react-dom', 'scheduler', '@auth0/auth0-react', '@auth0/auth0-spa-js');
    const said = run(`
      import { createElement as h } from 'react';
      import { renderToString } from 'react-dom/server';
      import { Auth0Provider, useAuth0 } from '@auth0/auth0-react';
      import { SignedOutNotice, useSlo } from '@slo-hub/client/react';
      const App = () => {
        const { state, isReady, signedOut } = useSlo({ auth0: useAuth0(), hub: 'https://hub.example' });
        return h('p', null, [state, isReady, signedOut].join(), h(SignedOutNotice, { event: signedOut }));
      };
      console.log(renderToString(h(Auth0Provider, { domain: 'acme.eu.auth0.com', clientId: 'notes' }, h(App))));
    `);
    expect(said).toBe('<p>idle,false,</p>');
  });

  it('vue', () => {
    install('vue', '@vue', '@auth0/auth0-vue', 'vue-router');
    const said = run(`
      import { createSSRApp, h } from 'vue';
      import { renderToString } from 'vue/server-renderer';
      import { createAuth0 } from '@auth0/auth0-vue';
      import { SignedOutNotice, useSlo } from '@slo-hub/client/vue';
      const auth0 = createAuth0({ domain: 'acme.eu.auth0.com', clientId: 'notes' });
      const app = createSSRApp({
        setup() {
          const { state, isReady, signedOut } = useSlo({ auth0, hub: 'https://hub.example' });
          return () => [h('p', [state.value, isReady.value].join()), h(SignedOutNotice, { event: signedOut.value })];
        },
      });
      console.log(await renderToString(app));
    `);
    expect(said).toContain('<p>idle,false</p>');
    expect(said).not.toContain('slo-signed-out');
  });

  it('angular', () => {
    install('@angular', 'rxjs', 'tslib');
    const said = run(`
      import '@angular/compiler';
      import { createEnvironmentInjector, Injector } from '@angular/core';
      import { provideSlo, Slo } from '@slo-hub/client/angular';
      class AuthService { constructor() { throw new Error('this one needs a browser'); } }
      const parent = Injector.create({ providers: [] });
      const slo = createEnvironmentInjector([AuthService, provideSlo({ auth0: AuthService, hub: 'https://hub.example' })], parent).get(Slo);
      console.log(slo.state(), slo.isReady(), slo.signedOut(), await slo.logout());
    `);
    expect(said).toBe('idle false undefined undefined');
  });
});
