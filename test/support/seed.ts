import fc from 'fast-check';
import { vi } from 'vitest';

/** Properties are tried with the same values each time: a test that fails now and then tells nobody anything. */
const SEED = 20_261_127;

const RUN_TIMEOUT_MS = 300_000;

const times = process.env['FUZZ_RUNS'];
if (times === undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
// A long run by hand tries other values, and takes as many times longer.
else vi.setConfig({ testTimeout: RUN_TIMEOUT_MS * Math.max(1, Number(times)) });
