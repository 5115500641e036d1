import type { Polling } from '../../model/index.js';
import { type Clock, WakeSignal } from '../../shared/index.js';
import { PollMeter } from './poll-meter.js';
import { effectiveDueMs, nextPollDueMs } from './poll-schedule.js';

export interface PollSchedulerOptions {
  /** Returns the poll interval in milliseconds that the current demand requires. */
  readonly intervalMs: () => number;
  /** Returns the time in milliseconds after which one more poll may be caused by a notification. @default intervalMs */
  readonly pushIntervalMs?: () => number;
  /** Returns the minimum time in milliseconds between two polls. */
  readonly minIntervalMs: () => number;
  /** Maximum share of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Returns the time in milliseconds after which the event loop has room for the answers of the server. @default 0 */
  readonly loopReadyInMs?: () => number;
  /** Called after each poll. */
  readonly onPoll?: (answered: boolean, durationMs: number) => void;
}

/** Maximum share of the server's time that requested polls may take which follow each other. */
const MAX_REQUESTED_SHARE = 0.5;

/** Number of polls that notifications may cause in a row at the minimum interval, besides one per push interval. */
const MAX_PUSHED_POLLS = 64;
/** Longest time in milliseconds after which one more poll may be caused by a notification. */
const MAX_PUSH_INTERVAL_MS = 60_000;

/** Decides when the next poll of one server runs, and resolves pending poll requests. */
export class PollScheduler {
  readonly #clock: Clock;
  readonly #options: PollSchedulerOptions;
  readonly #wakeSignal: WakeSignal;
  readonly #meter: PollMeter;
  #waiters: ((answered: boolean) => void)[] = [];
  #meteredIntervalMs = 0;
  #lastDueMs: number | null = null;
  #lastPoll: { readonly startMs: number; readonly durationMs: number; readonly isRequested: boolean } | null = null;
  #lastDurationMs = 0;
  #notBeforeMs = 0;
  #isPolling = false;
  /** Counts polls and restarts, so that a poll can detect a restart while it runs. */
  #generation = 0;
  #isExpedited = false;
  /** Number of polls that notifications may cause now. */
  #pushBudget = MAX_PUSHED_POLLS;
  #pushBudgetAtMs = 0;

  constructor(clock: Clock, options: PollSchedulerOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#wakeSignal = new WakeSignal(clock);
    this.#meter = new PollMeter(clock);
  }

  /** Computes the due time of the next poll again, because the demand or the options have changed. */
  reschedule(): void {
    this.#wakeSignal.wake();
  }

  /** Forgets all earlier polls and pauses, and runs the next poll immediately. */
  restart(): void {
    this.#generation += 1;
    this.#lastDueMs = null;
    this.#lastPoll = null;
    this.#notBeforeMs = 0;
    this.#wakeSignal.wake();
  }

  /**
   * Runs the next poll as soon as the minimum interval allows, because the server sent a notification. A server that never
   * stops causes one poll per push interval at most.
   */
  expedite(): void {
    this.#isExpedited = true;
    this.#wakeSignal.wake();
  }

  /** Delays the next poll by at least `durationMs` milliseconds. */
  pauseFor(durationMs: number): void {
    this.#notBeforeMs = this.#clock.monotonic() + durationMs;
  }

  /** Requests a poll that starts after this call. Resolves with whether the server answered it. */
  requestPoll(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#wakeSignal.wake();
    });
  }

  /** Rejects all poll requests and waits for the next change. */
  async waitWhileDisconnected(signal: AbortSignal): Promise<void> {
    this.rejectRequests();
    await this.#wakeSignal.wait(null, signal);
  }

  /** Resolves all poll requests with `false`. */
  rejectRequests(): void {
    for (const resolve of this.#waiters.splice(0)) resolve(false);
  }

  /** Runs `poll` if it is due or requested. Otherwise waits until it is due or something changes. */
  async runNext(poll: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { onPoll } = this.#options;
    const nowMs = this.#clock.monotonic();
    const intervalMs = this.#options.intervalMs();
    if (intervalMs !== this.#meteredIntervalMs) this.#meter.reset();
    this.#meteredIntervalMs = intervalMs;
    const regularDueMs = this.#dueMs(intervalMs);
    const pushedDueMs = this.#isExpedited ? this.#pushedDueMs(nowMs) : Infinity;
    const dueMs = Math.min(regularDueMs, pushedDueMs);
    const waitMs = this.#waitMs(dueMs, nowMs);
    if (waitMs > 0) {
      await this.#wakeSignal.wait(waitMs, signal);
      return;
    }
    if (pushedDueMs < regularDueMs && this.#waiters.length === 0) this.#pushBudget -= 1;
    this.#lastDueMs = effectiveDueMs(dueMs, nowMs, intervalMs);
    this.#isExpedited = false;
    const waiters = this.#waiters.splice(0);
    const generation = (this.#generation += 1);
    this.#lastPoll = null;
    this.#isPolling = true;
    const answered = await poll();
    this.#isPolling = false;
    const durationMs = this.#clock.monotonic() - nowMs;
    if (answered) this.#lastDurationMs = durationMs;
    onPoll?.(answered, durationMs);
    this.#meter.add({ startMs: nowMs, durationMs });
    // After a restart, the duration of this poll must not delay the next one.
    if (answered && generation === this.#generation) {
      this.#lastPoll = { startMs: nowMs, durationMs, isRequested: waiters.length > 0 };
    }
    for (const resolve of waiters) resolve(answered);
  }

  /** Whether a poll is running. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** Whether the server requested a pause, or its circuit breaker is open. */
  get isPaused(): boolean {
    return this.#clock.monotonic() < this.#notBeforeMs;
  }

  /** Expected time in milliseconds between two answered polls, given the duration of the last one. */
  get expectedIntervalMs(): number {
    const { intervalMs, maxPollShare } = this.#options;
    return Math.max(intervalMs(), this.#lastDurationMs / maxPollShare);
  }

  stats(): Polling {
    const measured = this.#meter.stats();
    return {
      wantedHz: 1000 / this.#options.intervalMs(),
      effectiveHz: measured?.hz ?? null,
      timeShare: measured?.timeShare ?? null,
      maxTimeShare: this.#options.maxPollShare,
    };
  }

  #dueMs(intervalMs: number): number {
    return nextPollDueMs({
      lastDueMs: this.#lastDueMs,
      intervalMs,
      notBeforeMs: this.#notBeforeMs,
      last: this.#lastPoll,
      maxPollShare: this.#options.maxPollShare,
    });
  }

  /** Returns the due time of a poll that a notification causes, within the budget of such polls. */
  #pushedDueMs(nowMs: number): number {
    const { intervalMs, pushIntervalMs = intervalMs } = this.#options;
    const minIntervalMs = this.#options.minIntervalMs();
    const refillMs = Math.max(minIntervalMs, Math.min(pushIntervalMs(), MAX_PUSH_INTERVAL_MS));
    const earned = (nowMs - this.#pushBudgetAtMs) / refillMs;
    this.#pushBudget = Math.min(MAX_PUSHED_POLLS, this.#pushBudget + earned);
    this.#pushBudgetAtMs = nowMs;
    const missing = Math.max(0, 1 - this.#pushBudget);
    return Math.max(this.#dueMs(minIntervalMs), nowMs + missing * refillMs);
  }

  /** Returns the time in milliseconds until the next poll: when it is due, or earlier if it was requested. */
  #waitMs(dueMs: number, nowMs: number): number {
    const loopReadyInMs = this.#options.loopReadyInMs?.() ?? 0;
    if (this.#waiters.length === 0) return Math.max(loopReadyInMs, dueMs - nowMs);
    const last = this.#lastPoll;
    const share = Math.max(MAX_REQUESTED_SHARE, this.#options.maxPollShare);
    const requestedMs = last?.isRequested === true ? last.startMs + last.durationMs / share : nowMs;
    return Math.max(loopReadyInMs, Math.min(dueMs, requestedMs) - nowMs);
  }
}
