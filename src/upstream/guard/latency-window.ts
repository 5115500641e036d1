import type { Latency } from '../../model/index.js';
import { type Clock, nearestRank } from '../../shared/index.js';

/** Latency percentiles of the calls answered within the last `windowMs` milliseconds, at most the `maxSamples` latest. */
export class LatencyWindow {
  readonly #endedAtMs: Float64Array;
  readonly #latencyMs: Float64Array;
  readonly #clock: Clock;
  readonly #windowMs: number;
  #next = 0;
  #size = 0;

  constructor(clock: Clock, windowMs: number, maxSamples: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#endedAtMs = new Float64Array(maxSamples);
    this.#latencyMs = new Float64Array(maxSamples);
  }

  add(latencyMs: number): void {
    this.#endedAtMs[this.#next] = this.#clock.monotonic();
    this.#latencyMs[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % this.#latencyMs.length;
    this.#size = Math.min(this.#size + 1, this.#latencyMs.length);
  }

  /** Computes nearest-rank percentiles. */
  percentiles(): Latency {
    const sinceMs = this.#clock.monotonic() - this.#windowMs;
    const sorted = this.#latencyMs
      .subarray(0, this.#size)
      .filter((_latencyMs, index) => (this.#endedAtMs[index] ?? -Infinity) >= sinceMs)
      .sort();
    return {
      p50Ms: nearestRank(sorted, 50) ?? null,
      p95Ms: nearestRank(sorted, 95) ?? null,
      p99Ms: nearestRank(sorted, 99) ?? null,
    };
  }
}
