import type { Latency } from '../../model/index.js';
import type { Clock } from '../../shared/index.js';

/** Latencies of the calls that were answered within the last `windowMs`, of at most the `maxSamples` latest. */
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

  /** Percentiles by nearest rank. */
  percentiles(): Latency {
    const sinceMs = this.#clock.monotonic() - this.#windowMs;
    const sorted = this.#latencyMs
      .subarray(0, this.#size)
      .filter((_latencyMs, index) => (this.#endedAtMs[index] ?? -Infinity) >= sinceMs)
      .sort();
    const percentile = (percent: number): number | null =>
      sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? null;
    return { p50Ms: percentile(50), p95Ms: percentile(95), p99Ms: percentile(99) };
  }
}
