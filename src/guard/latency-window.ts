import type { Latency } from '../domain/index.js';
import type { Clock } from '../shared/index.js';

/** Latencies of the calls that ended within the last `windowMs`, at most `maxSamples` of them. */
export class LatencyWindow {
  readonly #samples: { readonly endedAtMs: number; readonly latencyMs: number }[] = [];
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #maxSamples: number;

  constructor(clock: Clock, windowMs: number, maxSamples: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#maxSamples = maxSamples;
  }

  add(latencyMs: number): void {
    this.#samples.push({ endedAtMs: this.#clock.monotonic(), latencyMs });
    if (this.#samples.length > this.#maxSamples) this.#samples.shift();
  }

  /** Percentiles by nearest rank. */
  read(): Latency {
    const since = this.#clock.monotonic() - this.#windowMs;
    const sorted = this.#samples
      .filter(({ endedAtMs }) => endedAtMs >= since)
      .map(({ latencyMs }) => latencyMs)
      .sort((a, b) => a - b);
    const percentile = (share: number): number | null =>
      sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
    return { p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) };
  }
}
