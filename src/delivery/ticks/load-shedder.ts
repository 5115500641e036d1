import { performance } from 'node:perf_hooks';
import type { RateClock } from './rate-clock.js';

/** Returns the share of time, 0 to 1, that the event loop was busy since the previous call. */
export type UtilizationProbe = () => number;

/** Creates a probe of this process's event loop. */
export function createUtilizationProbe(): UtilizationProbe {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/**
 * Skips ticks of all streams while the event loop is overloaded, so that the process stays responsive. Adjusts the number of
 * skipped ticks at most once per second, and only while there are ticks.
 */
export class LoadShedder {
  readonly #utilization: UtilizationProbe;
  readonly #rateClock: RateClock;
  #checkedAtMs: number;
  #divisor = 1;

  constructor(utilization: UtilizationProbe, rateClock: RateClock) {
    this.#utilization = utilization;
    this.#rateClock = rateClock;
    this.#checkedAtMs = rateClock.now();
  }

  /** Serves every n-th tick: 1, 2, 4, 8 or 16. */
  get tickDivisor(): number {
    const now = this.#rateClock.now();
    if (now - this.#checkedAtMs >= CHECK_INTERVAL_MS) {
      this.#checkedAtMs = now;
      const utilization = this.#utilization();
      if (utilization > MAX_UTILIZATION) this.#divisor = Math.min(MAX_DIVISOR, this.#divisor * 2);
      else if (utilization < LOW_UTILIZATION) this.#divisor = Math.max(1, this.#divisor / 2);
    }
    return this.#divisor;
  }
}

const CHECK_INTERVAL_MS = 1_000;
const MAX_UTILIZATION = 0.95;
/** Utilization below which twice the number of ticks fits: less than half of `MAX_UTILIZATION`. */
const LOW_UTILIZATION = 0.45;
const MAX_DIVISOR = 16;
