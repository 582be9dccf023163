// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import '@angular/compiler'; // Just in time: what an app's build does ahead of time.
import { afterEach, beforeEach, describe, vi } from 'vitest';
import { example, Story, tellsTheStory } from './story.js';

let app: Story;
beforeEach(() => {
  app = new Story('<app-root></app-root>', () => import(/* @vite-ignore */ example('angular/src/main.ts')));
  // That it runs in development mode, and that each test has a component of the same name.
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => app.close());

describe('docs/angular.md', () => {
  tellsTheStory(() => app);
});
