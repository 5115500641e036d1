import type { Clock } from '../../shared/index.js';

/** Polls that the measure is taken over. */
const MAX_POLLS = 32;

interface MeteredPoll {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Measures how often a server is polled, and how much of its time that takes. */
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

  /** What was before a change of the schedule says nothing of what is after it. */
  reset(): void {
    this.#polls = this.#polls.slice(-1);
  }

  /** @returns `null` before the second poll */
  stats(): { readonly hz: number; readonly timeShare: number } | null {
    const first = this.#polls[0];
    const last = this.#polls.at(-1);
    if (first === undefined || last === undefined || first === last) return null;
    const between = this.#polls.length - 1;
    const meanMs = (last.startMs - first.startMs) / between;
    // When the next one is overdue, the rate has fallen already.
    const spanMs = Math.max(last.startMs - first.startMs, this.#clock.monotonic() - first.startMs - meanMs);
    if (spanMs <= 0) return null;
    const pollingMs = this.#polls.slice(0, -1).reduce((sum, { durationMs }) => sum + durationMs, 0);
    return { hz: (between / spanMs) * 1000, timeShare: Math.min(1, pollingMs / spanMs) };
  }
}
