export { type Bus } from './bus.js';
export { MemoryBus } from './memory.js';
export { RedisBus, type RedisBusOptions } from './redis.js';
export { openRedisConnection, type RedisConnection, type RedisConnectionOptions } from './redis-link.js';
export { type RedisChannel, type RedisKeyKind, RedisKeys } from './redis-names.js';
export { RedisScript } from './scripts.js';
export { type FencingTokens } from './terms.js';
export { type WriteConfirmation } from './outlet.js';
