import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { ObservableMetric } from '../../telemetry/index.js';

const RESOLUTION_MS = 10;

/** Of this process: its event loop, memory and processor time. */
export class ProcessMetrics implements Disposable {
  /** Of its own: whoever reads it begins it anew. */
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
        help: 'How late timers were since the last scrape: median, 99th percentile and the latest.',
        labels: ['percentile'],
        read: () => {
          const lags = [50, 99, 100].map(
            (percent) => [{ percentile: `${percent}` }, this.#lagSeconds(percent)] as const,
          );
          this.#delay.reset();
          return lags;
        },
      },
      one('swarmlens_event_loop_active_seconds_total', 'Time in which the event loop was at work.', () => {
        return performance.eventLoopUtilization().active / 1000;
      }),
      one('swarmlens_heap_used_bytes', 'Memory that JavaScript objects take.', () => process.memoryUsage().heapUsed),
      one(
        'swarmlens_heap_size_bytes',
        'Memory set aside for JavaScript objects.',
        () => process.memoryUsage().heapTotal,
      ),
      one('process_resident_memory_bytes', 'Memory of the process that is in use.', () => process.memoryUsage.rss()),
      one('process_cpu_seconds_total', 'Processor time of the process, its own and the system’s for it.', () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }),
      one('process_start_time_seconds', 'When the process was started, seconds since the epoch.', () => {
        return performance.timeOrigin / 1000;
      }),
    ];
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  /** The histogram counts whole intervals between its timers, the wanted part of them included. */
  #lagSeconds(percent: number): number {
    const ns = percent === 100 ? this.#delay.max : this.#delay.percentile(percent);
    return this.#delay.count === 0 ? 0 : Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
  }
}
