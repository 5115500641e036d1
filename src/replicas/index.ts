export { isNotSent } from './errors.js';
export { Pool, type PoolEvent, type Seat } from './pool.js';
export { type Replica, type ToolCall } from './replica.js';
export {
  BREAKER_DEFAULTS,
  type BreakerSettings,
  EASE_IN_MS,
  type PoolSettings,
  RESTART_DEFAULTS,
  type RestartSettings,
} from './settings.js';
