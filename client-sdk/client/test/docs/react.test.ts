// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe } from 'vitest';
import { example, Story, tellsTheStory } from './story.js';

let app: Story;
beforeEach(() => void (app = new Story('<div id="root"></div>', () => import(/* @vite-ignore */ example('react/src/main.tsx')))));
afterEach(() => app.close());

describe('docs/react.md', () => {
  tellsTheStory(() => app);
});
