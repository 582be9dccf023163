import { expect } from 'vitest';
import { until } from './until.js';

/** A page that has been looked at frame by frame, and in none of them private content was seen. */
export async function expectNoGlimpse(page) {
  const { frames, private: seen } = await until('some frames were drawn', async () => {
    const glimpses = await page.glimpses();
    return glimpses.frames > 5 && glimpses;
  });
  expect({ frames: frames > 5, seen }).toEqual({ frames: true, seen: 0 });
}
