import type { LimitCounters } from './counters.js';
import { type MakeRate, Rate } from './rates.js';

/** What each client may do once a second. */
export class OncePerSecond {
  readonly #rate: Rate;

  constructor(make: MakeRate, counters: LimitCounters) {
    this.#rate = new Rate('oncePerSecond', 1, make, counters);
  }

  /** @throws SwarmlensError RATE_LIMITED with `retryAfterMs` */
  async use(what: string, clientId: string): Promise<void> {
    await this.#rate.use(`${what} ${clientId}`, `"${what}" is allowed once a second`);
  }
}
