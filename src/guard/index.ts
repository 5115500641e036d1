export { type GuardTransition } from './breaker.js';
export { BulkheadFullError, CircuitOpenError } from './errors.js';
export { type CallOptions, createGuard, type Guard, type GuardStatus } from './guard.js';
export { LatencyWindow } from './latency-window.js';
export { type Backoff, GUARD_DEFAULTS, type GuardOptions } from './options.js';
