import type { Clock } from '../shared/index.js';

/** Seconds for which what was not used is saved up. */
const SAVED_SECONDS = 5;

/**
 * A rate that one owner keeps for itself: two numbers, no timer. A limiter of rate-limiter-flexible sets a timer and makes
 * a promise for each use, which is more than a WebSocket message may cost before it is looked at.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #max: number;
  #left: number;
  #atMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#max = perSecond * SAVED_SECONDS;
    this.#left = this.#max;
    this.#atMs = clock.monotonic();
  }

  /** @returns whether there was one */
  take(): boolean {
    const nowMs = this.#clock.monotonic();
    this.#left = Math.min(this.#max, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
