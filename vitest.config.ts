import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/real/**', 'test/soak/**'],
    environment: 'node',
    restoreMocks: true,
    unstubEnvs: true,
    // No retries: a test that fails now and then is a failing test.
    retry: 0,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
