export { type LimitCounters, type LimitHits, type LimitName, MemoryLimitCounters } from './counters.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { OncePerSecond } from './once-per-second.js';
export { type MakeRate, memoryRates, Rate } from './rates.js';
export { redisRates, type RatesStore } from './redis-rates.js';
export { Shares } from './shares.js';
export { TokenBucket } from './token-bucket.js';
