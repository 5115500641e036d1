import { backoffDelayMs, withoutJitter } from './backoff.js';
import type { Clock } from './clock.js';

export interface ReactionDelayOptions {
  /** Delay of the second reaction in a row, in milliseconds. */
  readonly initialMs: number;
  /** Maximum delay in milliseconds. */
  readonly maxMs: number;
}

/**
 * Delays between reactions to a peer, so that the peer cannot drive a loop. A reaction after a quiet time is immediate. While
 * the peer causes reactions without a pause, the delays double.
 */
export class ReactionDelay {
  readonly #clock: Clock;
  readonly #options: ReactionDelayOptions;
  /** Number of reactions in a row before the next one. */
  #streak = 0;
  /** Time of the last reaction, which may be in the future. */
  #lastMs = -Infinity;

  constructor(clock: Clock, options: ReactionDelayOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /**
   * Returns the time in milliseconds to wait before the next reaction, which must follow.
   * @param failures number of consecutive failed reactions
   */
  next(failures = 0): number {
    const nowMs = this.#clock.monotonic();
    const isQuiet = nowMs - this.#lastMs > 2 * this.#intervalMs(this.#streak + 1);
    this.#streak = isQuiet ? 0 : this.#streak + 1;
    const intervalMs = this.#intervalMs(Math.max(1, this.#streak, failures));
    const delayMs = Math.max(0, this.#lastMs + intervalMs - nowMs);
    this.#lastMs = nowMs + delayMs;
    return delayMs;
  }

  #intervalMs(count: number): number {
    return backoffDelayMs(count, this.#options, withoutJitter);
  }
}
