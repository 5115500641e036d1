import type { LoadShedder } from './load-shedder.js';
import type { RateClock } from './rate-clock.js';
import { RateMeter } from './rate-meter.js';
import type { DeliveryMetrics } from '../instrumentation.js';

/** Those who are served at the ticks of a lane. */
export interface TickListener {
  /** @param dueMs when the tick was due, on the rate clock; `null`: somebody has asked, there was no tick */
  onTick(dueMs: number | null): void;
}

/** All groups of one rate: one wait for the next tick serves all of them. */
export class Ticker implements Disposable {
  /** 0: ticks when somebody asks for an update. */
  readonly hz: number;
  /** What the event loop leaves of the rate. */
  readonly meter = new RateMeter();
  readonly #users = new Set<TickListener>();
  readonly #rateClock: RateClock;
  readonly #pace: LoadShedder;
  readonly #onError: (error: unknown) => void;
  readonly #metrics: DeliveryMetrics | null;
  readonly #closed = new AbortController();
  #armed = false;
  #ticks = 0;
  #demands: number;

  constructor(
    hz: number,
    rateClock: RateClock,
    pace: LoadShedder,
    onError: (error: unknown) => void,
    metrics: DeliveryMetrics | null = null,
  ) {
    this.hz = hz;
    this.#rateClock = rateClock;
    this.#pace = pace;
    this.#onError = onError;
    this.#metrics = metrics;
    this.#demands = rateClock.onDemandCount;
    if (hz === 0) this.#wait();
  }

  get size(): number {
    return this.#users.size;
  }

  add(user: TickListener): void {
    this.#users.add(user);
  }

  remove(user: TickListener): void {
    this.#users.delete(user);
  }

  /** Somebody may have something to tell: they are all served at the next tick. */
  requestTick(): void {
    if (this.hz > 0 && !this.#armed && !this.#closed.signal.aborted) this.#wait();
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  #wait(): void {
    this.#armed = true;
    const dueMs = this.#rateClock.now() + 1000 / this.hz;
    const { signal } = this.#closed;
    const tick =
      this.hz === 0 ? this.#rateClock.nextOnDemand(this.#demands, signal) : this.#rateClock.next(this.hz, signal);
    const tickDueMs = this.#rateClock.dueMs(this.hz);
    tick.then(
      () => {
        this.#armed = false;
        if (!signal.aborted) this.#tick(dueMs, tickDueMs);
      },
      (error: unknown) => this.#onError(error),
    );
  }

  /** @param latestDueMs no tick can have been due later; `dueMs`: when this one was */
  #tick(latestDueMs: number, dueMs: number | null): void {
    if (this.hz === 0) {
      this.#demands = this.#rateClock.onDemandCount;
      this.#wait();
    } else {
      // The next tick was due within one period: every whole period beyond is a tick that the event loop missed.
      const missed = Math.floor(((this.#rateClock.now() - latestDueMs) * this.hz) / 1000);
      if (missed > 0) this.#skipped(missed);
      this.#ticks += 1;
      if (this.#ticks % this.#pace.tickDivisor !== 0) {
        this.#skipped(1);
        this.#wait();
        return;
      }
      this.meter.recordServed();
    }
    for (const user of [...this.#users]) user.onTick(dueMs);
  }

  #skipped(ticks: number): void {
    this.meter.recordSkipped(ticks);
    this.#metrics?.recordSkippedTicks('busy_server', ticks);
  }
}
