import type { Polling } from '../../model/index.js';
import { type Clock, WakeSignal } from '../../shared/index.js';
import { PollMeter } from './poll-meter.js';
import { effectiveDueMs, nextPollDueMs } from './poll-schedule.js';

export interface PollSchedulerOptions {
  /** As the present demand has it. */
  readonly intervalMs: () => number;
  /** However much is wanted. */
  readonly minIntervalMs: () => number;
  /** Of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Told of each poll that has ended; left out: nobody is. */
  readonly onPoll?: (answered: boolean, durationMs: number) => void;
}

/** When a server's next poll has its turn, and who waits for it. */
export class PollScheduler {
  readonly #clock: Clock;
  readonly #intervalMs: () => number;
  readonly #leastIntervalMs: () => number;
  readonly #maxPollShare: number;
  readonly #onPoll: PollSchedulerOptions['onPoll'];
  readonly #wakeSignal: WakeSignal;
  readonly #meter: PollMeter;
  #waiters: ((answered: boolean) => void)[] = [];
  #meteredIntervalMs = 0;
  #lastDueMs: number | null = null;
  #lastPoll: { readonly startMs: number; readonly durationMs: number } | null = null;
  #notBeforeMs = 0;
  #turn = 0;
  #isCalledFor = false;

  constructor(clock: Clock, options: PollSchedulerOptions) {
    this.#clock = clock;
    this.#intervalMs = options.intervalMs;
    this.#leastIntervalMs = options.minIntervalMs;
    this.#maxPollShare = options.maxPollShare;
    this.#onPoll = options.onPoll;
    this.#wakeSignal = new WakeSignal(clock);
    this.#meter = new PollMeter(clock);
  }

  /** Something has changed that the schedule depends on. */
  reschedule(): void {
    this.#wakeSignal.wake();
  }

  /** The next poll need not wait for its time. */
  restart(): void {
    this.#turn += 1;
    this.#lastDueMs = null;
    this.#lastPoll = null;
    this.#notBeforeMs = 0;
    this.#wakeSignal.wake();
  }

  /** Something has happened over there: the next poll need not wait for its time, only for what the server may be asked. */
  expedite(): void {
    this.#isCalledFor = true;
    this.#wakeSignal.wake();
  }

  /** The server asks to be left alone. */
  pauseFor(forMs: number): void {
    this.#notBeforeMs = this.#clock.monotonic() + forMs;
  }

  /** Asks for a poll that starts after this call; resolves with whether it was answered. */
  requestPoll(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#wakeSignal.wake();
    });
  }

  /** There is nothing to poll: whoever has asked is told so. */
  async waitWhileDisconnected(signal: AbortSignal): Promise<void> {
    this.rejectRequests();
    await this.#wakeSignal.wait(null, signal);
  }

  rejectRequests(): void {
    for (const resolve of this.#waiters.splice(0)) resolve(false);
  }

  /** Polls when it is time; otherwise waits until it is, or something has changed. */
  async runNext(poll: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const intervalMs = this.#intervalMs();
    if (intervalMs !== this.#meteredIntervalMs) this.#meter.reset();
    this.#meteredIntervalMs = intervalMs;
    const dueMs = nextPollDueMs({
      lastDueMs: this.#lastDueMs,
      intervalMs: this.#isCalledFor ? this.#leastIntervalMs() : intervalMs,
      notBeforeMs: this.#notBeforeMs,
      last: this.#lastPoll,
      maxPollShare: this.#maxPollShare,
    });
    if (nowMs < dueMs && this.#waiters.length === 0) {
      await this.#wakeSignal.wait(dueMs - nowMs, signal);
      return;
    }
    this.#lastDueMs = effectiveDueMs(dueMs, nowMs, intervalMs);
    this.#isCalledFor = false;
    const waiters = this.#waiters.splice(0);
    const turn = (this.#turn += 1);
    this.#lastPoll = null;
    const answered = await poll();
    const durationMs = this.#clock.monotonic() - nowMs;
    this.#onPoll?.(answered, durationMs);
    this.#meter.add({ startMs: nowMs, durationMs });
    // One that was called for meanwhile is not held back.
    if (answered && turn === this.#turn) this.#lastPoll = { startMs: nowMs, durationMs };
    for (const resolve of waiters) resolve(answered);
  }

  stats(): Polling {
    const measured = this.#meter.stats();
    return {
      wantedHz: 1000 / this.#intervalMs(),
      effectiveHz: measured?.hz ?? null,
      timeShare: measured?.timeShare ?? null,
      maxTimeShare: this.#maxPollShare,
    };
  }
}
