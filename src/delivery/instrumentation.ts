import type { ViewChanges, CursorPosition } from '../state/index.js';
import type { DeliverySpan, MetricsRecorder, Tracer } from '../shared/index.js';

/** What there is to be counted of lanes and groups. */
export type DeliveryMetrics = Pick<MetricsRecorder, 'recordDelivery' | 'recordSkippedTicks'>;
export type DeliveryTracer = Pick<Tracer, 'position' | 'startDelivery'>;

/** One update, from when it begins to be made. */
export interface InstrumentedUpdate {
  /** @param readers that it was given to; 0: it came to nothing */
  end(readers: number): void;
}

/** Tells who counts and who follows traces what groups do. */
export class DeliveryInstrumentation {
  readonly #metrics: DeliveryMetrics | null;
  readonly #tracer: DeliveryTracer | null;
  readonly #now: () => number;
  /** The tracer's position when readers came to theirs. */
  readonly #traced = new WeakMap<CursorPosition, number>();

  /** @param now milliseconds, monotonic */
  constructor(metrics: DeliveryMetrics | null, tracer: DeliveryTracer | null, now: () => number) {
    this.#metrics = metrics;
    this.#tracer = tracer;
    this.#now = now;
  }

  /** A reader had no room at a tick. */
  recordSkip(): void {
    this.#metrics?.recordSkippedTicks('slow_reader', 1);
  }

  /** Readers have been told all up to here. */
  recordPosition(position: CursorPosition): void {
    if (this.#tracer !== null && !this.#traced.has(position)) this.#traced.set(position, this.#tracer.position);
  }

  /** @param dueMs when its tick was due; `null`: it does not belong to one */
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

  #trace(from: CursorPosition, { agents, removedAgentIds }: ViewChanges): DeliverySpan | null {
    const since = this.#traced.get(from);
    if (this.#tracer === null || since === undefined) return null;
    const serverIds = new Set(agents.map(({ agent }) => agent.serverId));
    for (const id of removedAgentIds) serverIds.add(id.slice(0, id.indexOf(':')));
    return this.#tracer.startDelivery(serverIds, since);
  }
}
