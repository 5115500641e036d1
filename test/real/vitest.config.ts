import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

export default mergeConfig(
  { ...shared, test: { ...shared.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      root: new URL('../..', import.meta.url).pathname,
      include: ['test/real/*.test.ts'],
      testTimeout: 600_000,
      hookTimeout: 120_000,
      fileParallelism: false,
    },
  }),
);
