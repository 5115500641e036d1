import type { Clock } from '../../shared/index.js';

/** Number of polls that the measurement covers. */
const MAX_POLLS = 32;

interface MeteredPoll {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Measures the poll rate of a server and the share of its time that polls take. */
export class PollMeter {
  readonly #clock: Clock;
  #polls: MeteredPoll[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(poll: MeteredPoll): void {
    this.#polls.push(poll);
    if (this.#polls.length > MAX_POLLS) this.#polls.shift();
  }

  /** Restarts the measurement, because the poll interval has changed. */
  reset(): void {
    this.#polls = this.#polls.slice(-1);
  }

  /** Returns null before the second poll. */
  stats(): { readonly hz: number; readonly timeShare: number } | null {
    const first = this.#polls[0];
    const last = this.#polls.at(-1);
    if (first === undefined || last === undefined || first === last) return null;
    const intervals = this.#polls.length - 1;
    const meanMs = (last.startMs - first.startMs) / intervals;
    // An overdue poll lowers the rate before it starts.
    const spanMs = Math.max(last.startMs - first.startMs, this.#clock.monotonic() - first.startMs - meanMs);
    if (spanMs <= 0) return null;
    const pollingMs = this.#polls.slice(0, -1).reduce((sum, { durationMs }) => sum + durationMs, 0);
    return { hz: (intervals / spanMs) * 1000, timeShare: Math.min(1, pollingMs / spanMs) };
  }
}
