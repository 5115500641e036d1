import fc from 'fast-check';
import { afterAll } from 'vitest';
import { SEED } from '../support/fuzz-inputs.js';

// A failure is enough to detect a mutant. The smallest failing input is not needed.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED, endOnFailure: true });

/** Variables of StrykerJS. */
const stryker: { activeMutant?: string } | undefined = Reflect.get(globalThis, '__stryker__');

// The next test files load before StrykerJS activates the next mutant, and must not run with this one.
afterAll(() => {
  delete stryker?.activeMutant;
});
