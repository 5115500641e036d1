import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.js';
import { POOL_NAME, ReusedThread } from './reused-thread.js';
import { ShortestFirst } from './shortest-first.js';

/** Tests of each folder: those that run in memory or with one socket, load quickly, and reach most of the folder. */
const TESTS: Readonly<Record<string, string[]>> = {
  access: ['test/access/*.test.ts'],
  state: ['test/state/*.test.ts', 'test/fuzz/cursor.test.ts'],
  delivery: ['test/delivery/**/*.test.ts'],
  'server/websocket': [
    'test/server/websocket/*.test.ts',
    'test/server/{connections,drain,send-buffer,socket-session,unread-answers}.test.ts',
    'test/e2e/{auth,delivery,tap-access,token-expiry}.test.ts',
  ],
};

const { projects: _, ...test } = base.test ?? {};

export default defineConfig({
  ...base,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: [
    {
      name: POOL_NAME,
      // StrykerJS overrides the pool of a configuration.
      configureVitest({ project }) {
        project.config.pool = POOL_NAME;
        project.config.poolRunner = { name: POOL_NAME, createPoolWorker: (options) => new ReusedThread(options) };
      },
    },
  ],
  test: {
    ...test,
    include: TESTS[process.env['MUTATION_FOLDER'] ?? ''] ?? [],
    setupFiles: ['test/mutation/setup.ts'],
    // A fifth of the usual inputs of property tests detects nearly as many mutants.
    env: { FUZZ_RUNS: '0.2' },
    sequence: { sequencer: ShortestFirst },
    // Set here, because `vi.setConfig` keeps the first configuration of a thread, with the tests of another mutant.
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
