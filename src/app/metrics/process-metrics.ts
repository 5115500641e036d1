import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ObservableMetric } from '../../telemetry/index.js';

const RESOLUTION_MS = 10;

/** Metrics of the event loop, memory and CPU time of this process. */
export class ProcessMetrics implements Disposable {
  /** Histogram of its own, because each scrape resets it. */
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  get metrics(): readonly ObservableMetric[] {
    const one = (name: string, help: string, value: () => number): ObservableMetric => {
      return { name, help, labels: [], read: () => [[{}, value()]] };
    };
    return [
      {
        name: 'swarmlens_event_loop_lag_seconds',
        help: 'Delay of timers since the last scrape: median, 99th percentile and maximum.',
        labels: ['percentile'],
        read: () => {
          const lags = [50, 99, 100].map(
            (percent) => [{ percentile: `${percent}` }, this.#lagSeconds(percent)] as const,
          );
          this.#delay.reset();
          return lags;
        },
      },
      one('swarmlens_event_loop_active_seconds_total', 'Time during which the event loop was active.', () => {
        return performance.eventLoopUtilization().active / 1000;
      }),
      one('swarmlens_heap_used_bytes', 'Memory used by JavaScript objects.', () => process.memoryUsage().heapUsed),
      one(
        'swarmlens_heap_size_bytes',
        'Memory reserved for JavaScript objects.',
        () => process.memoryUsage().heapTotal,
      ),
      one('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss()),
      one('process_cpu_seconds_total', 'CPU time of the process, user and system.', () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }),
      one('process_start_time_seconds', 'Start time of the process, in seconds since the epoch.', () => {
        return performance.timeOrigin / 1000;
      }),
    ];
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  /** Delay beyond the interval of the histogram, which counts the whole time between two timers. */
  #lagSeconds(percent: number): number {
    const ns = percent === 100 ? this.#delay.max : this.#delay.percentile(percent);
    return this.#delay.count === 0 ? 0 : Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
  }
}
