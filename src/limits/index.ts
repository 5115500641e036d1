export { type LimitCounters, type LimitHits, type LimitName, MemoryLimitCounters } from './counters.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { OncePerSecondLimiter } from './once-per-second.js';
export { type RateLimiterFactory, createMemoryRateLimiter, ClientRateLimiter } from './rates.js';
export { createRedisRateLimiter, type RateLimiterStore } from './redis-rates.js';
export { ConcurrencyLimiter } from './shares.js';
export { TokenBucket } from './token-bucket.js';
