export { type CircuitTransition } from './breaker.js';
export { BulkheadFullError, CircuitOpenError } from './errors.js';
export { type GuardedCallOptions, createGuard, type Guard, type GuardStatus } from './guard.js';
export { LatencyWindow } from './latency-window.js';
export { type BackoffRange, GUARD_DEFAULTS, type GuardOptions } from './options.js';
