import type { Polling } from '../domain/index.js';
import { type Clock, Pulse } from '../shared/index.js';
import { PollMeter } from './poll-meter.js';
import { dueOf, nextPollAt } from './schedule.js';

export interface TurnsOptions {
  /** As the present demand has it. */
  readonly intervalMs: () => number;
  /** However much is wanted. */
  readonly leastIntervalMs: () => number;
  /** Of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Told of each poll that has ended; left out: nobody is. */
  readonly onPoll?: (answered: boolean, durationMs: number) => void;
}

/** When a server's next poll has its turn, and who waits for it. */
export class Turns {
  readonly #clock: Clock;
  readonly #intervalMs: () => number;
  readonly #leastIntervalMs: () => number;
  readonly #maxPollShare: number;
  readonly #onPoll: TurnsOptions['onPoll'];
  readonly #pulse: Pulse;
  readonly #meter: PollMeter;
  #waiters: ((answered: boolean) => void)[] = [];
  #meteredIntervalMs = 0;
  #lastDueMs: number | null = null;
  #lastPoll: { readonly startMs: number; readonly durationMs: number } | null = null;
  #notBeforeMs = 0;
  #turn = 0;
  #isCalledFor = false;

  constructor(clock: Clock, options: TurnsOptions) {
    this.#clock = clock;
    this.#intervalMs = options.intervalMs;
    this.#leastIntervalMs = options.leastIntervalMs;
    this.#maxPollShare = options.maxPollShare;
    this.#onPoll = options.onPoll;
    this.#pulse = new Pulse(clock);
    this.#meter = new PollMeter(clock);
  }

  /** Something has changed that the schedule depends on. */
  look(): void {
    this.#pulse.ring();
  }

  /** The next poll need not wait for its time. */
  atOnce(): void {
    this.#turn += 1;
    this.#lastDueMs = null;
    this.#lastPoll = null;
    this.#notBeforeMs = 0;
    this.#pulse.ring();
  }

  /** Something has happened over there: the next poll need not wait for its time, only for what the server may be asked. */
  soon(): void {
    this.#isCalledFor = true;
    this.#pulse.ring();
  }

  /** The server asks to be left alone. */
  rest(forMs: number): void {
    this.#notBeforeMs = this.#clock.monotonic() + forMs;
  }

  /** Asks for a poll that starts after this call; resolves with whether it was answered. */
  ask(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#pulse.ring();
    });
  }

  /** There is nothing to poll: whoever has asked is told so. */
  async idle(signal: AbortSignal): Promise<void> {
    this.refuse();
    await this.#pulse.wait(null, signal);
  }

  refuse(): void {
    for (const resolve of this.#waiters.splice(0)) resolve(false);
  }

  /** Polls when it is time; otherwise waits until it is, or something has changed. */
  async take(poll: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const intervalMs = this.#intervalMs();
    if (intervalMs !== this.#meteredIntervalMs) this.#meter.startAnew();
    this.#meteredIntervalMs = intervalMs;
    const dueMs = nextPollAt({
      lastDueMs: this.#lastDueMs,
      intervalMs: this.#isCalledFor ? this.#leastIntervalMs() : intervalMs,
      notBeforeMs: this.#notBeforeMs,
      last: this.#lastPoll,
      maxPollShare: this.#maxPollShare,
    });
    if (nowMs < dueMs && this.#waiters.length === 0) {
      await this.#pulse.wait(dueMs - nowMs, signal);
      return;
    }
    this.#lastDueMs = dueOf(dueMs, nowMs, intervalMs);
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

  read(): Polling {
    const measured = this.#meter.read();
    return {
      wantedHz: 1000 / this.#intervalMs(),
      effectiveHz: measured?.hz ?? null,
      timeShare: measured?.timeShare ?? null,
      maxTimeShare: this.#maxPollShare,
    };
  }
}
