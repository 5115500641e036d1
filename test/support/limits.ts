import { DEFAULT_LIMITS, type Limits } from '../../src/config/index.js';

/** A test asks again and again until something is so: all of them are one viewer, who does that as fast as it can. */
export const TEST_LIMITS: Limits = { ...DEFAULT_LIMITS, maxRequestsPerSecond: 1_000_000 };
