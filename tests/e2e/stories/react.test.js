import { expect, test } from 'vitest';
import { tellStoriesOf } from './frameworks.js';

const { page } = tellStoriesOf('react');

test('all of this holds under StrictMode, where React runs everything twice', async () => {
  expect(await page().ranTwice()).toBe(true);
});
