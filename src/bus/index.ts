export { type Bus } from './bus.js';
export { MemoryBus } from './memory.js';
export { openRedisLink, type RedisLink, type RedisLinkOptions } from './redis-link.js';
export { type Channel, type KeyKind, RedisNames } from './redis-names.js';
