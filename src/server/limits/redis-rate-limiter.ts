import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { RateLimiterFactory } from './rate-limiter.js';

/** The Redis that all nodes count in. */
export interface RateLimiterStore {
  /** Of ioredis; its types ask whoever imports this package for those of Node.js. */
  readonly commands: object;
  /** Whether it answers: while it does not, each node counts for itself, without asking. */
  readonly isUp: boolean;
}

/**
 * Rates that all nodes count together. A command that fails although Redis seemed to be there is counted in memory too, so
 * that nobody is refused, or let through unlimited, because Redis is away.
 * @param prefix of the keys, which live as long as what they count
 */
export function createRedisRateLimiter(store: RateLimiterStore, prefix: string): RateLimiterFactory {
  return (options) => {
    const own = new RateLimiterMemory(options);
    const shared = new RateLimiterRedis({
      ...options,
      keyPrefix: `${prefix}:${options.keyPrefix}`,
      storeClient: store.commands,
      insuranceLimiter: own,
      rejectIfRedisNotReady: true,
      // Who has used all of it is refused here until there is more: a flood does not go on to Redis.
      inMemoryBlockOnConsumed: options.points,
    });
    return { consume: (key) => (store.isUp ? shared : own).consume(key) };
  };
}
