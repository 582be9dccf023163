// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import 'zone.js';
import '@angular/compiler';
import { Component, inject, NgZone, provideZoneChangeDetection, type ApplicationRef } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { of } from 'rxjs';
import { afterAll, expect, it, vi } from 'vitest';
import type { Auth0Service } from '../src/angular.js';
import { FakeHub, HUB, idToken } from './hub.js';

/** The adapter as Angular's builds make it for zone.js, which cannot see into async functions: without any. */
const BUILT = path.join(import.meta.dirname, '../../node_modules/.cache/angular-zone-test.mjs');
const { provideSlo, Slo } = await lowered();
afterAll(() => rmSync(BUILT));

async function lowered(): Promise<typeof import('../src/angular.js')> {
  const esbuild = path.join(import.meta.dirname, '../../node_modules/.bin/esbuild');
  const flags = ['--bundle', '--packages=external', '--format=esm', '--target=es2022', '--supported:async-await=false'];
  execFileSync(esbuild, [path.join(import.meta.dirname, '../src/angular.ts'), ...flags, `--outfile=${BUILT}`], { stdio: 'pipe' });
  return import(/* @vite-ignore */ BUILT) as Promise<typeof import('../src/angular.js')>;
}

/** An AuthService whose session is there at once: what is tested is the zone. */
class SignedIn implements Auth0Service {
  readonly idTokenClaims$ = of({ __raw: idToken() });
  getAccessTokenSilently = () => of('access');
  logout = () => of(undefined);
}

class Page {
  readonly slo = inject(Slo);
}
Component({ selector: 'app-root', template: '{{ slo.state() }} {{ slo.signedOut()?.reason }}' })(Page);

it('under zone.js the app is stable while it is connected, hears, and runs its own code in the zone', async () => {
  vi.useRealTimers(); // Those that zone.js knows of.
  const hub = new FakeHub();
  const { fetch, WebSocket } = hub.network();
  vi.spyOn(console, 'log').mockImplementation(() => {});
  document.body.append(document.createElement('app-root'));
  const inZone: boolean[] = [];
  const onSignedOut = () => void inZone.push(NgZone.isInAngularZone());
  const app: ApplicationRef = await bootstrapApplication(Page, {
    providers: [
      provideZoneChangeDetection(),
      SignedIn,
      provideSlo({ auth0: SignedIn, hub: HUB, fetch, WebSocket, crossTab: false, onSignedOut }),
    ],
  });
  await vi.waitFor(() => expect(document.body.textContent).toContain('connected'));
  await app.whenStable();
  hub.signOutElsewhere('s1', { reason: 'You left Shop' });
  await vi.waitFor(() => expect(hub.acked).toHaveLength(1));
  expect(document.body.textContent).toBe('signed-out You left Shop');
  expect(inZone).toEqual([true]);
  app.destroy();
});
