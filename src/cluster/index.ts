export { type Bus } from './bus/bus.js';
export { MemoryBus } from './bus/memory-bus.js';
export { RedisBus, type RedisBusOptions } from './bus/redis-bus.js';
export { openRedisConnection, type RedisConnection, type RedisConnectionOptions } from './redis/redis-connection.js';
export { type RedisChannel, type RedisKeyKind, RedisKeys } from './redis/redis-keys.js';
export { RedisScript } from './redis/redis-script.js';
export { type FencingTokens } from './bus/bus.js';
export { type WriteConfirmation } from './bus/server-writer.js';

export { type OwnershipCandidate, type OwnershipClaim, type RemoteServers, type Ownership } from './ownership.js';
export { singleNodeOwnership } from './ownership.js';
export { LeaseManager } from './leases/lease-manager.js';
export { type SnapshotSync } from './leases/lease.js';
