// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe } from 'vitest';
import { example, Story, tellsTheStory } from './story.js';

let app: Story;
beforeEach(() => void (app = new Story('<div id="app"></div>', () => import(/* @vite-ignore */ example('vue/src/main.ts')))));
afterEach(() => app.close());

describe('docs/vue.md', () => {
  tellsTheStory(() => app);
});
