import fc from 'fast-check';
import { vi } from 'vitest';
import { SEED } from './fuzz-inputs.js';

const RUN_TIMEOUT_MS = 300_000;

const times = process.env['FUZZ_RUNS'];
if (times === undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
// A manual run with FUZZ_RUNS uses other seeds and takes FUZZ_RUNS times as long.
else vi.setConfig({ testTimeout: RUN_TIMEOUT_MS * Math.max(1, Number(times)) });
