import type { Clock } from '../../shared/index.js';

/** Seconds for which what was not used is saved up. */
const SAVED_SECONDS = 5;

/**
 * A rate that one owner keeps for itself. It answers at once, so that messages stay in their order, and saves up what was
 * not used, so that a client may begin with many. Limiters of rate-limiter-flexible answer later and count by the second.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #max: number;
  #left: number;
  #updatedAtMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#max = perSecond * SAVED_SECONDS;
    this.#left = this.#max;
    this.#updatedAtMs = clock.monotonic();
  }

  /** @returns whether there was one */
  take(): boolean {
    const nowMs = this.#clock.monotonic();
    this.#left = Math.min(this.#max, this.#left + (nowMs - this.#updatedAtMs) * this.#perMs);
    this.#updatedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
