import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['stories/**/*.test.js'],
    setupFiles: ['./rig/each-story.js'],
    // Two worlds at a time: each has a browser, a hub and a provider of its own, and mostly waits.
    fileParallelism: true,
    maxWorkers: 2,
    minWorkers: 1,
    pool: 'forks',
    // A real browser on a machine without a free core may miss a beat: once. Two stories that pass only the second
    // time fail the run (rig/second-tries.js).
    retry: 1,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ['verbose', './rig/second-tries.js'],
  },
});
