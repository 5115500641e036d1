import { type Clock, scheduleDeadline } from '../../shared/index.js';

/** Number of expected poll intervals after which the data of a server is stale. */
export const STALE_AFTER_INTERVALS = 3;
/** Shortest interval in milliseconds that counts. Data is not stale because of shorter delays. */
export const MIN_STALE_INTERVAL_MS = 2_000;

export interface FreshnessWatchOptions {
  /** Returns the expected time in milliseconds between two answered polls. */
  readonly intervalMs: () => number;
  /** Called with the age in milliseconds when the data has become stale. */
  readonly onStale: (ageMs: number) => void;
}

/**
 * Watches the age of the data of a server. Data becomes stale if no poll has been answered for three expected intervals,
 * or six seconds if that is longer, whatever prevents it. A stall of this process extends the time.
 */
export class FreshnessWatch implements Disposable {
  readonly #clock: Clock;
  readonly #options: FreshnessWatchOptions;
  #freshAtMs: number | null = null;
  #dueAtMs = Infinity;
  #deadline: Disposable | null = null;

  constructor(clock: Clock, options: FreshnessWatchOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Restarts the age, because a poll has just been answered. */
  refresh(): void {
    this.#freshAtMs = this.#clock.monotonic();
    this.#dueAtMs = Infinity;
    this.reschedule();
  }

  /** Stops watching until the next answered poll, because the data is known to be stale. */
  stop(): void {
    this.#freshAtMs = null;
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = null;
  }

  /** Computes the deadline again, because the interval has changed. */
  reschedule(): void {
    if (this.#freshAtMs === null) return;
    const nowMs = this.#clock.monotonic();
    const limitMs = STALE_AFTER_INTERVALS * Math.max(MIN_STALE_INTERVAL_MS, this.#options.intervalMs());
    // A shorter interval counts from now on, because polls can follow it only from now on.
    this.#dueAtMs = Math.max(this.#freshAtMs + limitMs, Math.min(this.#dueAtMs, nowMs + limitMs));
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = scheduleDeadline(this.#clock, Math.max(0, this.#dueAtMs - nowMs), () => this.#expire());
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #expire(): void {
    if (this.#freshAtMs === null) return;
    const ageMs = this.#clock.monotonic() - this.#freshAtMs;
    this.stop();
    this.#options.onStale(ageMs);
  }
}
