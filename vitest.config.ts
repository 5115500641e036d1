import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const SYSTEM_TESTS = 'test/**/*.system.test.ts';

export default defineConfig({
  resolve: {
    // Node loads graphql's CommonJS files. Vite would load its ES modules beside them, and two copies do not know
    // each other's classes.
    alias: [
      { find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') },
      {
        find: '@swarmlens/client',
        replacement: fileURLToPath(new URL('packages/client/src/index.ts', import.meta.url)),
      },
    ],
  },
  test: {
    environment: 'node',
    setupFiles: ['test/support/seed.ts'],
    restoreMocks: true,
    unstubEnvs: true,
    // No retries: a test that fails now and then is a failing test.
    retry: 0,
    // Loading the same modules for each file would take most of the time. No test keeps state in a module.
    isolate: false,
    maxWorkers: 2,
    // Timeouts only end a hang. Waits of the tests end before these and print the state they waited for.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'correctness',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/real/**', SYSTEM_TESTS],
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: [SYSTEM_TESTS],
          exclude: ['**/node_modules/**', 'test/real/**'],
          // Many processes, clients and real time: one file at a time.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          // `npm run test:real` installs the servers first.
          name: 'real',
          include: ['test/real/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
