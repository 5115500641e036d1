import { DEFAULT_LIMITS, type Limits } from '../../src/config/index.js';

/** Limits for tests. All requests of a test come from one viewer, and a test that polls exceeds the default request rate. */
export const TEST_LIMITS: Limits = { ...DEFAULT_LIMITS, maxRequestsPerSecond: 1_000_000 };
