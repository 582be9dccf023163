import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The docs have single-file components, which name our elements.
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('slo-') } } })],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    // Never one that answers by chance.
    retry: 0,
    testTimeout: 30_000,
  },
});
