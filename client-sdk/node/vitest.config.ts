import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Never one that answers by chance.
    retry: 0,
    testTimeout: 30_000,
  },
});
