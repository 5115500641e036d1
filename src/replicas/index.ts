export { wasNotSent } from './errors.js';
export { ReplicaPool, type PoolEvent, type PrimarySession } from './pool.js';
export { type Replica, type ToolCall } from './replica.js';
export {
  BREAKER_DEFAULTS,
  type BreakerOptions,
  SLOW_START_MS,
  type PoolOptions,
  RESTART_DEFAULTS,
  type RestartOptions,
} from './settings.js';
