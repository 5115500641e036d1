import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { RateLimiterFactory } from './rate-limiter.js';

/** Redis in which all nodes count together. */
export interface RateLimiterStore {
  /** Client of ioredis. Typed as `object`, because ioredis' types would require `@types/node` of users of this package. */
  readonly commands: object;
  /** Whether Redis is available. Each node counts on its own otherwise. */
  readonly isUp: boolean;
}

/**
 * Creates rate limiters that all nodes share through Redis. If Redis fails, the rate is counted in memory, so that
 * clients are neither rejected nor unlimited.
 * @param prefix prefix of the Redis keys, which expire with the counted duration
 */
export function createRedisRateLimiter(store: RateLimiterStore, prefix: string): RateLimiterFactory {
  return (options) => {
    const local = new RateLimiterMemory(options);
    const shared = new RateLimiterRedis({
      ...options,
      keyPrefix: `${prefix}:${options.keyPrefix}`,
      storeClient: store.commands,
      insuranceLimiter: local,
      rejectIfRedisNotReady: true,
      // Clients without points are rejected locally, so that a flood does not reach Redis.
      inMemoryBlockOnConsumed: options.points,
    });
    return { consume: (key) => (store.isUp ? shared : local).consume(key) };
  };
}
