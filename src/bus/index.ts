export { type Bus } from './bus.js';
export { MemoryBus } from './memory.js';
export { RedisBus, type RedisBusOptions } from './redis.js';
export { openRedisLink, type RedisLink, type RedisLinkOptions } from './redis-link.js';
export { type Channel, type KeyKind, RedisNames } from './redis-names.js';
export { RedisScript } from './scripts.js';
export { type Terms } from './terms.js';
export { type Written } from './outlet.js';
