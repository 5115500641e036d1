export { type DeliveryOptions, startServer, type SwarmlensServer } from './start-server.js';
export { MemoryLimitCounters, type LimitCounters } from './limits/limit-counters.js';
export { OncePerSecondLimiter, createMemoryRateLimiter, type RateLimiterFactory } from './limits/rate-limiter.js';
export { createRedisRateLimiter } from './limits/redis-rate-limiter.js';
