import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { SwarmlensError } from '../../shared/index.js';
import type { LimitCounters, LimitName } from './limit-counters.js';

/** What rates are counted with: in memory, or in something that several nodes share. */
export type RateLimiterFactory = (options: {
  /** Of its own: nodes that share a store tell rates apart by it. */
  readonly keyPrefix: string;
  readonly points: number;
  /** Seconds. */
  readonly duration: number;
}) => Pick<RateLimiterAbstract, 'consume'>;

export const createMemoryRateLimiter: RateLimiterFactory = (options) => new RateLimiterMemory(options);

/** How often each client may do something. */
export class ClientRateLimiter {
  readonly #limiter: Pick<RateLimiterAbstract, 'consume'>;
  readonly #name: LimitName;
  readonly #counters: LimitCounters;

  constructor(name: LimitName, perSecond: number, make: RateLimiterFactory, counters: LimitCounters) {
    this.#limiter = make({ keyPrefix: name, points: perSecond, duration: 1 });
    this.#name = name;
    this.#counters = counters;
  }

  /**
   * @param allowed said to the client when it is too often: `"refreshDiscovery" is allowed once a second`
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  async consume(key: string, allowed: string): Promise<void> {
    try {
      await this.#limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      this.#counters.hit(this.#name);
      const retryAfterMs = error.msBeforeNext;
      throw new SwarmlensError('RATE_LIMITED', `${allowed}: try again in ${retryAfterMs} ms.`, { retryAfterMs });
    }
  }
}

/** What each client may do once a second. */
export class OncePerSecondLimiter {
  readonly #rate: ClientRateLimiter;

  constructor(make: RateLimiterFactory, counters: LimitCounters) {
    this.#rate = new ClientRateLimiter('oncePerSecond', 1, make, counters);
  }

  /** @throws SwarmlensError RATE_LIMITED with `retryAfterMs` */
  async consume(what: string, clientId: string): Promise<void> {
    await this.#rate.consume(`${what} ${clientId}`, `"${what}" is allowed once a second`);
  }
}
