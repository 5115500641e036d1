import { performance } from 'node:perf_hooks';
import type { RateClock } from './rate-clock.js';

/** How busy this process is: the share of the time, 0..1, that the event loop was at work since it was last asked. */
export type UtilizationProbe = () => number;

/** Of this process. */
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
 * Lets all streams skip ticks while the event loop cannot follow, and fewer again when it can, so that one server with
 * too much to do stays reachable for everything else. Looks once a second at most, and only while there are ticks.
 */
export class LoadShedder {
  readonly #utilization: UtilizationProbe;
  readonly #rateClock: RateClock;
  #checkedAtMs: number;
  #every = 1;

  constructor(utilization: UtilizationProbe, rateClock: RateClock) {
    this.#utilization = utilization;
    this.#rateClock = rateClock;
    this.#checkedAtMs = rateClock.now();
  }

  /** Each how manieth tick is served: 1, 2, 4 … */
  get tickDivisor(): number {
    const now = this.#rateClock.now();
    if (now - this.#checkedAtMs >= LOOK_MS) {
      this.#checkedAtMs = now;
      const utilization = this.#utilization();
      if (utilization > TOO_BUSY) this.#every = Math.min(MAX_EVERY, this.#every * 2);
      else if (utilization < IDLE_ENOUGH) this.#every = Math.max(1, this.#every / 2);
    }
    return this.#every;
  }
}

const LOOK_MS = 1_000;
const TOO_BUSY = 0.95;
/** Under half of what is too busy: twice the ticks still fit. */
const IDLE_ENOUGH = 0.45;
const MAX_EVERY = 16;
