import type { Clock } from '../../shared/index.js';

/**
 * Ticks for all streams. Those of one rate are at least its period apart, and come at once after a longer pause: nobody
 * waits for a tick who has had none lately. Each rate has at most one timer, which runs only while a stream waits for it.
 */
export class RateClock {
  readonly #clock: Clock;
  readonly #grids = new Map<number, TickWaiters>();
  /** When the last tick of a rate was due, milliseconds, monotonic. Older than its period it says nothing any more. */
  readonly #lastDueMs = new Map<number, number>();
  readonly #onDemand = new TickWaiters();
  #demands = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that are running. */
  get timers(): number {
    return this.#grids.size;
  }

  /** Rates of which the last tick is known. */
  get rememberedRates(): number {
    return this.#lastDueMs.size;
  }

  /** Milliseconds, monotonic. */
  now(): number {
    return this.#clock.monotonic();
  }

  /** Resolves at the next tick of the rate (above 0), or when `signal` is aborted. */
  next(hz: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    let grid = this.#grids.get(hz);
    if (grid === undefined) {
      grid = new TickWaiters();
      this.#grids.set(hz, grid);
      this.#schedule(hz, grid);
    }
    const waiting = grid;
    return waiting.wait(signal, () => {
      if (waiting.size > 0) return;
      waiting.timer?.[Symbol.dispose]();
      this.#grids.delete(hz);
    });
  }

  /** When the tick of a rate that somebody waits for is due, milliseconds, monotonic; `null`: nobody waits. */
  dueMs(hz: number): number | null {
    return this.#grids.get(hz)?.dueMs ?? null;
  }

  /** How often `demand` was called. */
  get onDemandCount(): number {
    return this.#demands;
  }

  /** What streams of the rate 0 wait for: somebody asked for an update, and it is there. */
  triggerOnDemand(): void {
    this.#demands += 1;
    this.#onDemand.tick();
  }

  /**
   * Resolves with the new count once there were more than `seen` demands, at once when there already were, because a
   * reader that was busy at that moment must not miss it; or when `signal` is aborted.
   */
  async nextOnDemand(seen: number, signal: AbortSignal): Promise<number> {
    if (this.#demands <= seen && !signal.aborted) await this.#onDemand.wait(signal);
    return this.#demands;
  }

  #schedule(hz: number, grid: TickWaiters): void {
    const periodMs = 1000 / hz;
    const now = this.#clock.monotonic();
    // From tick to tick by what was due, so that late timers do not make the rate a lower one.
    const dueMs = Math.max(now, (this.#lastDueMs.get(hz) ?? -Infinity) + periodMs);
    grid.dueMs = dueMs;
    grid.timer = this.#clock.schedule(dueMs - now, () => {
      if (this.#grids.get(hz) !== grid) return;
      // Timers count whole milliseconds and may come a fraction early; the tick itself must not.
      if (this.#clock.monotonic() < dueMs - 1e-3) {
        this.#schedule(hz, grid);
        return;
      }
      this.#grids.delete(hz);
      this.#remember(hz, dueMs);
      grid.tick();
    });
  }

  #remember(hz: number, dueMs: number): void {
    this.#lastDueMs.set(hz, dueMs);
    if (this.#lastDueMs.size <= MAX_REMEMBERED) return;
    const now = this.#clock.monotonic();
    for (const [rate, lastMs] of this.#lastDueMs) if (now - lastMs > 1000 / rate) this.#lastDueMs.delete(rate);
  }
}

/** Clients may ask for any rate: above, those are forgotten that no longer matter. */
const MAX_REMEMBERED = 64;

/** Those who wait for one tick. */
class TickWaiters {
  readonly #waiters = new Set<() => void>();
  timer: Disposable | null = null;
  dueMs: number | null = null;

  get size(): number {
    return this.#waiters.size;
  }

  wait(signal: AbortSignal, onLeave: () => void = () => undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', leave);
        this.#waiters.delete(done);
        resolve();
      };
      const leave = (): void => {
        done();
        onLeave();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  tick(): void {
    for (const done of [...this.#waiters]) done();
  }
}
