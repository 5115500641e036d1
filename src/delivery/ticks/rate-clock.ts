import type { Clock } from '../../shared/index.js';

/**
 * Ticks of all streams. Ticks of one rate are at least one period apart. After a longer pause the next tick comes immediately.
 * Each rate has at most one timer, which runs only while a stream waits.
 */
export class RateClock {
  readonly #clock: Clock;
  readonly #waitersByRate = new Map<number, TickWaiters>();
  /** Due time of the last tick of each rate, in milliseconds of the monotonic clock. Obsolete after one period. */
  readonly #lastDueMs = new Map<number, number>();
  readonly #onDemand = new TickWaiters();
  #onDemandCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of running timers. */
  get timers(): number {
    return this.#waitersByRate.size;
  }

  /** Number of rates whose last tick is remembered. */
  get rememberedRates(): number {
    return this.#lastDueMs.size;
  }

  /** Returns the time in milliseconds of the monotonic clock. */
  now(): number {
    return this.#clock.monotonic();
  }

  /** Resolves at the next tick of the rate, which must be above 0, or when `signal` is aborted. */
  next(hz: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    let waiters = this.#waitersByRate.get(hz);
    if (waiters === undefined) {
      waiters = new TickWaiters();
      this.#waitersByRate.set(hz, waiters);
      this.#schedule(hz, waiters);
    }
    const current = waiters;
    return current.wait(signal, () => {
      if (current.size > 0) return;
      current.timer?.[Symbol.dispose]();
      this.#waitersByRate.delete(hz);
    });
  }

  /** Returns the due time of the next tick of a rate, in milliseconds of the monotonic clock. Null if no stream waits for it. */
  dueMs(hz: number): number | null {
    return this.#waitersByRate.get(hz)?.dueMs ?? null;
  }

  /** Number of calls of `triggerOnDemand`. */
  get onDemandCount(): number {
    return this.#onDemandCount;
  }

  /** Wakes the streams of rate 0 because an update was requested and is available. */
  triggerOnDemand(): void {
    this.#onDemandCount += 1;
    this.#onDemand.tick();
  }

  /**
   * Resolves with the new count when `onDemandCount` exceeds `previousCount`, or when `signal` is aborted. Resolves immediately
   * if it already does, so that a busy reader misses no request.
   */
  async nextOnDemand(previousCount: number, signal: AbortSignal): Promise<number> {
    if (this.#onDemandCount <= previousCount && !signal.aborted) await this.#onDemand.wait(signal);
    return this.#onDemandCount;
  }

  #schedule(hz: number, waiters: TickWaiters): void {
    const periodMs = 1000 / hz;
    const now = this.#clock.monotonic();
    // The period counts from the due time of the last tick, so that late timers do not lower the rate.
    const dueMs = Math.max(now, (this.#lastDueMs.get(hz) ?? -Infinity) + periodMs);
    waiters.dueMs = dueMs;
    waiters.timer = this.#clock.schedule(dueMs - now, () => {
      if (this.#waitersByRate.get(hz) !== waiters) return;
      // Timers count whole milliseconds and may fire a fraction early. The tick itself must not.
      if (this.#clock.monotonic() < dueMs - 1e-3) {
        this.#schedule(hz, waiters);
        return;
      }
      this.#waitersByRate.delete(hz);
      this.#remember(hz, dueMs);
      waiters.tick();
    });
  }

  #remember(hz: number, dueMs: number): void {
    this.#lastDueMs.set(hz, dueMs);
    if (this.#lastDueMs.size <= MAX_REMEMBERED) return;
    const now = this.#clock.monotonic();
    for (const [rate, lastMs] of this.#lastDueMs) if (now - lastMs > 1000 / rate) this.#lastDueMs.delete(rate);
  }
}

/** Number of remembered rates above which obsolete ones are dropped. Clients may request any rate. */
const MAX_REMEMBERED = 64;

/** Streams that wait for one tick. */
class TickWaiters {
  readonly #waiters = new Set<() => void>();
  timer: Disposable | null = null;
  dueMs: number | null = null;

  get size(): number {
    return this.#waiters.size;
  }

  wait(signal: AbortSignal, onCancel: () => void = () => undefined): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        signal.removeEventListener('abort', cancel);
        this.#waiters.delete(resume);
        resolve();
      };
      const cancel = (): void => {
        resume();
        onCancel();
      };
      this.#waiters.add(resume);
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  tick(): void {
    for (const resume of [...this.#waiters]) resume();
  }
}
