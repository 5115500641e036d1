import type { ViewChanges, CursorPosition } from '../state/index.js';
import type { DeliverySpan, MetricsRecorder, Tracer } from '../shared/index.js';

/** Metrics that tickers and groups record. */
export type DeliveryMetrics = Pick<MetricsRecorder, 'recordDelivery' | 'recordSkippedTicks'>;
export type DeliveryTracer = Pick<Tracer, 'position' | 'startDelivery'>;

/** Update in progress, from the start of its rendering. */
export interface InstrumentedUpdate {
  /** @param readers number of readers that received the update. 0 if it failed */
  end(readers: number): void;
}

/** Records metrics and traces of deliveries. */
export class DeliveryInstrumentation {
  readonly #metrics: DeliveryMetrics | null;
  readonly #tracer: DeliveryTracer | null;
  readonly #now: () => number;
  /** Position of the tracer at each position of readers. */
  readonly #tracerPositions = new WeakMap<CursorPosition, number>();

  /** @param now returns the time in milliseconds of the monotonic clock */
  constructor(metrics: DeliveryMetrics | null, tracer: DeliveryTracer | null, now: () => number) {
    this.#metrics = metrics;
    this.#tracer = tracer;
    this.#now = now;
  }

  /** Records that a slow reader was skipped at a tick. */
  recordSkip(): void {
    this.#metrics?.recordSkippedTicks('slow_reader', 1);
  }

  /** Records that readers received everything up to a position. */
  recordPosition(position: CursorPosition): void {
    if (this.#tracer !== null && !this.#tracerPositions.has(position))
      this.#tracerPositions.set(position, this.#tracer.position);
  }

  /** @param dueMs due time of the tick. Null if the update belongs to no tick */
  startUpdate(from: CursorPosition | null, changes: ViewChanges, dueMs: number | null): InstrumentedUpdate {
    const trace = from === null ? null : this.#trace(from, changes);
    return {
      end: (readers) => {
        if (readers > 0) {
          this.#metrics?.recordDelivery(readers, dueMs === null ? null : Math.max(0, this.#now() - dueMs));
        }
        trace?.end(readers);
      },
    };
  }

  #trace(from: CursorPosition, { agents, removedAgentIds, tasks, removedTaskIds }: ViewChanges): DeliverySpan | null {
    const since = this.#tracerPositions.get(from);
    if (this.#tracer === null || since === undefined) return null;
    const serverIds = new Set(agents.map(({ agent }) => agent.serverId));
    for (const { serverId } of tasks) serverIds.add(serverId);
    for (const id of [...removedAgentIds, ...removedTaskIds]) serverIds.add(id.slice(0, id.indexOf(':')));
    return this.#tracer.startDelivery(serverIds, since);
  }
}
