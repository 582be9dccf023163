import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['stories/**/*.test.js'],
    // Two worlds at a time: each has a browser, a hub and a provider of its own, and mostly waits.
    fileParallelism: true,
    maxWorkers: 2,
    minWorkers: 1,
    pool: 'forks',
    // Real browsers on a machine without a free core miss a beat at times. What passes only the second time is marked
    // so in the output, and is to be looked into.
    retry: 1,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
