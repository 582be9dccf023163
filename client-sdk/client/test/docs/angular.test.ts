// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import '@angular/compiler'; // Just in time: what an app's build does ahead of time.
import { afterEach, beforeEach, describe, it, vi } from 'vitest';
import { example, Story } from './story.js';

let app: Story;
beforeEach(() => {
  app = new Story('<app-root></app-root>', () => import(/* @vite-ignore */ example('angular/src/main.ts')));
  // That it runs in development mode, and that each test has a component of the same name.
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => app.close());

describe('docs/angular.md', () => {
  it('shows nobody the way to sign in', async () => {
    await app.open();
    await app.seesNobody();
    await app.goesToSignIn('https://acme.eu.auth0.com/authorize');
  });

  it('hears of a sign-out elsewhere, and tells', async () => {
    await app.openSignedIn();
    await app.isSignedOutElsewhere();
    await app.goesToSignIn('https://acme.eu.auth0.com/authorize');
  });

  it('signs out everywhere by its button', async () => {
    await app.openSignedIn();
    await app.signsOut();
  });
});
