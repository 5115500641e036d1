import type { Clock } from '../../shared/index.js';

/** Capacity of the bucket in seconds of the rate. */
const BURST_SECONDS = 5;

/**
 * Token bucket for the messages of one WebSocket. Answers synchronously, so that messages keep their order, and allows
 * bursts. Limiters of rate-limiter-flexible are asynchronous and count per second.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #max: number;
  #remaining: number;
  #updatedAtMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#max = perSecond * BURST_SECONDS;
    this.#remaining = this.#max;
    this.#updatedAtMs = clock.monotonic();
  }

  /** Takes one token. @returns whether a token was available */
  take(): boolean {
    const nowMs = this.#clock.monotonic();
    this.#remaining = Math.min(this.#max, this.#remaining + (nowMs - this.#updatedAtMs) * this.#perMs);
    this.#updatedAtMs = nowMs;
    if (this.#remaining < 1) return false;
    this.#remaining -= 1;
    return true;
  }
}
