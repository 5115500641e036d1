import type { Clock } from '../../shared/index.js';

/** When an endpoint was asked, and when it answered. Times that end in `Ms` are those of the monotonic clock. */
export class ActivityTracker {
  readonly #clock: Clock;
  #quietSinceMs = 0;
  #probedAtMs = -Infinity;
  #restUntilMs = 0;
  #answeredAt: number | null = null;
  #probedAt: number | null = null;
  #hasAnswered = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since when it has been connected, or has answered or been asked for the last time. */
  get idleSinceMs(): number {
    return this.#quietSinceMs;
  }

  get probedAtMs(): number {
    return this.#probedAtMs;
  }

  /** It has asked to be left alone until then. */
  get pausedUntilMs(): number {
    return this.#restUntilMs;
  }

  get isPaused(): boolean {
    return this.#clock.monotonic() < this.#restUntilMs;
  }

  /** When it last answered anything, milliseconds since the epoch; `null`: never. */
  get answeredAt(): number | null {
    return this.#answeredAt;
  }

  /** When it was last probed, milliseconds since the epoch; `null`: there was no need. */
  get probedAt(): number | null {
    return this.#probedAt;
  }

  /** Since it was connected. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  recordConnect(): void {
    this.#hasAnswered = false;
    this.recordFailure();
  }

  /** It was, and did not answer. */
  recordFailure(): void {
    this.#quietSinceMs = this.#clock.monotonic();
  }

  recordAnswer(): void {
    this.recordFailure();
    this.#answeredAt = this.#clock.now();
    this.#hasAnswered = true;
  }

  pauseFor(forMs: number): void {
    this.#restUntilMs = this.#clock.monotonic() + forMs;
  }

  async recordProbe(probe: () => Promise<unknown>): Promise<void> {
    this.#probedAt = this.#clock.now();
    try {
      await probe();
    } finally {
      this.recordFailure();
      this.#probedAtMs = this.#quietSinceMs;
    }
  }
}
