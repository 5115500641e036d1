import type { LimitCounters } from './counters.js';
import { type RateLimiterFactory, ClientRateLimiter } from './rates.js';

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
