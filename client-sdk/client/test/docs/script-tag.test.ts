// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { body, read, Story, tellsTheStory } from './story.js';

const PACKAGE = path.join(import.meta.dirname, '../..');
/** What the page loads, in its order, and where this test has it from. */
const SCRIPTS = new Map([
  ['https://cdn.auth0.com/js/auth0-spa-js/2.27/auth0-spa-js.production.js', '../node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.js'],
  ['https://logout.example.com/sdk/slo-hub.js', 'dist-iife/slo-hub.js'],
  ['https://logout.example.com/sdk/slo-hub-elements.js', 'dist-iife/slo-hub-elements.js'],
  ['/app.js', 'examples/script-tag/app.js'],
]);

/** Runs them as a page does, one after the other. What they declare is gone with the page. */
function load(): void {
  const texts = [...SCRIPTS.values()].map((file) => readFileSync(path.join(PACKAGE, file), 'utf8'));
  vm.runInThisContext(`(() => { ${texts.join('\n;')} })()`);
}

let app: Story;
beforeEach(() => void (app = new Story(body('script-tag/index.html'), async () => load())));
afterEach(() => app.close());

describe('docs/script-tag.md', () => {
  it('loads these scripts', () => {
    expect([...read('script-tag/index.html').matchAll(/<script src="(.*?)"/g)].map(([, src]) => src)).toEqual([...SCRIPTS.keys()]);
  });

  tellsTheStory(() => app);
});
