import fc from 'fast-check';
import { afterAll, vi } from 'vitest';
import { SEED } from '../support/seed.js';

// FUZZ_RUNS, which vitest.config.ts sets, otherwise changes the seed. A failure is enough to detect a mutant, so the smallest
// failing input is not needed.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED, endOnFailure: true });
vi.setConfig({ testTimeout: 20_000 });

/** Variables of StrykerJS. */
const stryker: { activeMutant?: string } | undefined = Reflect.get(globalThis, '__stryker__');

// The next test files load before StrykerJS activates the next mutant, and must not run with this one.
afterAll(() => {
  delete stryker?.activeMutant;
});
