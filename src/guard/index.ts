export { BulkheadFullError, CircuitOpenError } from './errors.js';
export {
  type CallOptions,
  createGuard,
  type Guard,
  GUARD_DEFAULTS,
  type GuardOptions,
  type GuardStatus,
  type GuardTransition,
} from './guard.js';
