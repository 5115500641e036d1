import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Node loads graphql's CommonJS files. Vite would load its ES modules beside them, and two copies do not know
    // each other's classes.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/real/**'],
    environment: 'node',
    setupFiles: ['test/support/seed.ts'],
    restoreMocks: true,
    unstubEnvs: true,
    // No retries: a test that fails now and then is a failing test.
    retry: 0,
    maxWorkers: 3,
    // Most of the time would go into loading the same modules for each file. No test keeps anything in a module.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
