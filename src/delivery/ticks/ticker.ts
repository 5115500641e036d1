import type { LoadShedder } from './load-shedder.js';
import type { RateClock } from './rate-clock.js';
import { RateMeter } from './rate-meter.js';
import type { DeliveryMetrics } from '../instrumentation.js';

/** Receiver of the ticks of a ticker. */
export interface TickListener {
  /** @param dueMs due time of the tick on the rate clock. Null if an update was requested without a tick */
  onTick(dueMs: number | null): void;
}

/** Ticks all subscription groups of one rate. Waits for the next tick only after a commit. */
export class Ticker implements Disposable {
  /** Ticks per second. 0: ticks only on request. */
  readonly hz: number;
  /** Share of ticks that the event loop served in time. */
  readonly meter = new RateMeter();
  readonly #listeners = new Set<TickListener>();
  readonly #rateClock: RateClock;
  readonly #loadShedder: LoadShedder;
  readonly #onError: (error: unknown) => void;
  readonly #metrics: DeliveryMetrics | null;
  readonly #abort = new AbortController();
  #isWaiting = false;
  #tickCount = 0;
  #onDemandCount: number;

  constructor(
    hz: number,
    rateClock: RateClock,
    loadShedder: LoadShedder,
    onError: (error: unknown) => void,
    metrics: DeliveryMetrics | null = null,
  ) {
    this.hz = hz;
    this.#rateClock = rateClock;
    this.#loadShedder = loadShedder;
    this.#onError = onError;
    this.#metrics = metrics;
    this.#onDemandCount = rateClock.onDemandCount;
    if (hz === 0) this.#wait();
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: TickListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: TickListener): void {
    this.#listeners.delete(listener);
  }

  /** Requests that all listeners are served at the next tick. */
  requestTick(): void {
    if (this.hz > 0 && !this.#isWaiting && !this.#abort.signal.aborted) this.#wait();
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  #wait(): void {
    this.#isWaiting = true;
    const dueMs = this.#rateClock.now() + 1000 / this.hz;
    const { signal } = this.#abort;
    const tick =
      this.hz === 0 ? this.#rateClock.nextOnDemand(this.#onDemandCount, signal) : this.#rateClock.next(this.hz, signal);
    const tickDueMs = this.#rateClock.dueMs(this.hz);
    tick.then(
      () => {
        this.#isWaiting = false;
        if (!signal.aborted) this.#tick(dueMs, tickDueMs);
      },
      (error: unknown) => this.#onError(error),
    );
  }

  /**
   * Serves all listeners, unless load shedding skips the tick.
   * @param latestDueMs latest possible due time of the tick
   * @param dueMs due time of the tick
   */
  #tick(latestDueMs: number, dueMs: number | null): void {
    if (this.hz === 0) {
      this.#onDemandCount = this.#rateClock.onDemandCount;
      this.#wait();
    } else {
      // The tick was due within one period. Each whole period beyond is a tick that the event loop missed.
      const missed = Math.floor(((this.#rateClock.now() - latestDueMs) * this.hz) / 1000);
      if (missed > 0) this.#recordSkipped(missed);
      this.#tickCount += 1;
      if (this.#tickCount % this.#loadShedder.tickDivisor !== 0) {
        this.#recordSkipped(1);
        this.#wait();
        return;
      }
      this.meter.recordServed();
    }
    for (const listener of [...this.#listeners]) listener.onTick(dueMs);
  }

  #recordSkipped(ticks: number): void {
    this.meter.recordSkipped(ticks);
    this.#metrics?.recordSkippedTicks('busy_server', ticks);
  }
}
