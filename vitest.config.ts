import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'pipelines/**/*.ts', 'adapters/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
});
export default config;
