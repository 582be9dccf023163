import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['stories/**/*.test.js'],
    // One world at a time: each has a browser, a hub and a provider of its own.
    fileParallelism: false,
    pool: 'forks',
    retry: 0,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
