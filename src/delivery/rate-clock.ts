import type { Clock } from '../shared/index.js';

/**
 * Ticks for all streams. Each rate has one grid of ticks and at most one timer, and the timer runs only while a
 * stream waits for it.
 */
export class RateClock {
  readonly #clock: Clock;
  readonly #grids = new Map<number, Grid>();
  readonly #onDemand = new Grid();
  #demands = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that are running. */
  get timers(): number {
    return this.#grids.size;
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
      grid = new Grid();
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
  get demands(): number {
    return this.#demands;
  }

  /** What streams of the rate 0 wait for: somebody asked for an update, and it is there. */
  demand(): void {
    this.#demands += 1;
    this.#onDemand.tick();
  }

  /**
   * Resolves with the new count once there were more than `seen` demands, at once when there already were, because a
   * reader that was busy at that moment must not miss it; or when `signal` is aborted.
   */
  async nextDemand(seen: number, signal: AbortSignal): Promise<number> {
    if (this.#demands <= seen && !signal.aborted) await this.#onDemand.wait(signal);
    return this.#demands;
  }

  #schedule(hz: number, grid: Grid): void {
    const periodMs = 1000 / hz;
    const now = this.#clock.monotonic();
    // A tick that is due at 33.333… ms must not be found due once more at 33.333.
    const dueMs = (Math.floor(now / periodMs + 1e-6) + 1) * periodMs;
    grid.dueMs = dueMs;
    grid.timer = this.#clock.schedule(dueMs - now, () => {
      if (this.#grids.get(hz) !== grid) return;
      // Timers count whole milliseconds and may come a fraction early; the tick itself must not.
      if (this.#clock.monotonic() < dueMs - 1e-3) {
        this.#schedule(hz, grid);
        return;
      }
      this.#grids.delete(hz);
      grid.tick();
    });
  }
}

/** Those who wait for one tick. */
class Grid {
  readonly #waiting = new Set<() => void>();
  timer: Disposable | null = null;
  dueMs: number | null = null;

  get size(): number {
    return this.#waiting.size;
  }

  wait(signal: AbortSignal, onLeave: () => void = () => undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', leave);
        this.#waiting.delete(done);
        resolve();
      };
      const leave = (): void => {
        done();
        onLeave();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  tick(): void {
    for (const done of [...this.#waiting]) done();
  }
}
