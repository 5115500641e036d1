import type { Clock } from '../../shared/index.js';

/** Records when an endpoint was called, probed and paused. Times that end in `Ms` are on the monotonic clock. */
export class ActivityTracker {
  readonly #clock: Clock;
  #idleSinceMs = 0;
  #probedAtMs = -Infinity;
  #pausedUntilMs = 0;
  #answeredAt: number | null = null;
  #probedAt: number | null = null;
  #hasAnswered = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Time of the last connection, answer or failed call, whichever is latest. */
  get idleSinceMs(): number {
    return this.#idleSinceMs;
  }

  get probedAtMs(): number {
    return this.#probedAtMs;
  }

  /** End of the pause that the server requested. In the past if there is none. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  get isPaused(): boolean {
    return this.#clock.monotonic() < this.#pausedUntilMs;
  }

  /** Time of the last answer, in milliseconds since the epoch. Null before the first answer. */
  get answeredAt(): number | null {
    return this.#answeredAt;
  }

  /** Time of the last health probe, in milliseconds since the epoch. Null before the first probe. */
  get probedAt(): number | null {
    return this.#probedAt;
  }

  /** Whether the endpoint has answered a call of the current connection. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  recordConnect(): void {
    this.#hasAnswered = false;
    this.#idleSinceMs = this.#clock.monotonic();
  }

  recordFailure(): void {
    this.#idleSinceMs = this.#clock.monotonic();
  }

  recordAnswer(): void {
    this.#idleSinceMs = this.#clock.monotonic();
    this.#answeredAt = this.#clock.now();
    this.#hasAnswered = true;
  }

  /** Starts a pause of `durationMs` milliseconds. */
  pauseFor(durationMs: number): void {
    this.#pausedUntilMs = this.#clock.monotonic() + durationMs;
  }

  /** Runs a health probe and records its start and end. */
  async recordProbe(probe: () => Promise<unknown>): Promise<void> {
    this.#probedAt = this.#clock.now();
    try {
      await probe();
    } finally {
      this.#idleSinceMs = this.#clock.monotonic();
      this.#probedAtMs = this.#idleSinceMs;
    }
  }
}
