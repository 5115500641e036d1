import type { Clock } from '../../shared/index.js';

/**
 * Estimates the clock of Redis, which all nodes share. Follows its jumps. A stall of this process does not falsify the estimate,
 * because a late answer only widens the interval in which the estimate must lie.
 */
export class RedisTime {
  readonly #clock: Clock;
  /** Time of Redis minus the monotonic time of this process. */
  #offsetMs: number;
  #isKnown = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonic();
  }

  /** Records an answer to TIME. @param requestedAtMs monotonic time of the request */
  record(requestedAtMs: number, redisMs: number): void {
    if (!Number.isFinite(redisMs)) return;
    const [lowest, highest] = [redisMs - this.#clock.monotonic(), redisMs - requestedAtMs];
    this.#offsetMs = this.#isKnown ? Math.min(Math.max(this.#offsetMs, lowest), highest) : (lowest + highest) / 2;
    this.#isKnown = true;
  }

  /** Returns milliseconds since the epoch, by the clock of this machine until Redis has answered. */
  now(): number {
    return Math.round(this.#clock.monotonic() + this.#offsetMs);
  }
}
