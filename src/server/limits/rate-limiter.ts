import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { SwarmlensError } from '../../shared/index.js';
import type { LimitCounters, LimitName } from './limit-counters.js';

/** Creates a rate limiter of rate-limiter-flexible, in memory or in a store that all nodes share. */
export type RateLimiterFactory = (options: {
  /** Key prefix that separates this rate from others in a shared store. */
  readonly keyPrefix: string;
  readonly points: number;
  /** Duration in seconds in which `points` requests are allowed. */
  readonly duration: number;
}) => Pick<RateLimiterAbstract, 'consume'>;

export const createMemoryRateLimiter: RateLimiterFactory = (options) => new RateLimiterMemory(options);

/** Limits the rate of one action for each client. */
export class ClientRateLimiter {
  readonly #limiter: Pick<RateLimiterAbstract, 'consume'>;
  readonly #name: LimitName;
  readonly #counters: LimitCounters;

  constructor(name: LimitName, perSecond: number, create: RateLimiterFactory, counters: LimitCounters) {
    this.#limiter = create({ keyPrefix: name, points: perSecond, duration: 1 });
    this.#name = name;
    this.#counters = counters;
  }

  /**
   * Counts one action of a client.
   * @param limitText start of the error message, for example `At most 5 requests per second are allowed`
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  async consume(key: string, limitText: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      this.#counters.hit(this.#name);
      const retryAfterMs = error.msBeforeNext;
      throw new SwarmlensError('RATE_LIMITED', `${limitText}. Retry in ${retryAfterMs} ms.`, { retryAfterMs });
    }
  }
}

/** Limits actions to one per second and client. */
export class OncePerSecondLimiter {
  readonly #rate: ClientRateLimiter;

  constructor(create: RateLimiterFactory, counters: LimitCounters) {
    this.#rate = new ClientRateLimiter('oncePerSecond', 1, create, counters);
  }

  /** Counts one action of a client. @throws SwarmlensError RATE_LIMITED with `retryAfterMs` */
  async consume(action: string, clientId: string): Promise<void> {
    await this.#rate.consume(`${action} ${clientId}`, `"${action}" is allowed once per second`);
  }
}
