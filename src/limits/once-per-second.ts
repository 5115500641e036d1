import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { SwarmlensError } from '../shared/index.js';

/** What each client may do once a second. */
export class OncePerSecond {
  readonly #limiter = new RateLimiterMemory({ points: 1, duration: 1 });

  /** @throws SwarmlensError RATE_LIMITED with `retryAfterMs` */
  async use(what: string, clientId: string): Promise<void> {
    try {
      await this.#limiter.consume(`${what} ${clientId}`);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterMs = error.msBeforeNext;
      throw new SwarmlensError('RATE_LIMITED', `"${what}" is allowed once a second: try again in ${retryAfterMs} ms.`, {
        retryAfterMs,
      });
    }
  }
}
