import type { Changes, Position } from '../state/index.js';
import type { DeliveryTrace, Metrics, Tracer } from '../telemetry/index.js';

/** What there is to be counted of lanes and groups. */
export type DeliveryMetrics = Pick<Metrics, 'updateDelivered' | 'ticksSkipped'>;
export type DeliveryTracer = Pick<Tracer, 'position' | 'deliveryBegan'>;

/** One update, from when it begins to be made. */
export interface WatchedUpdate {
  /** @param readers that it was given to; 0: it came to nothing */
  end(readers: number): void;
}

/** Tells who counts and who follows traces what groups do. */
export class DeliveryWatch {
  readonly #metrics: DeliveryMetrics | null;
  readonly #tracer: DeliveryTracer | null;
  readonly #now: () => number;
  /** The tracer's position when readers came to theirs. */
  readonly #traced = new WeakMap<Position, number>();

  /** @param now milliseconds, monotonic */
  constructor(metrics: DeliveryMetrics | null, tracer: DeliveryTracer | null, now: () => number) {
    this.#metrics = metrics;
    this.#tracer = tracer;
    this.#now = now;
  }

  /** A reader had no room at a tick. */
  skipped(): void {
    this.#metrics?.ticksSkipped('slow_reader', 1);
  }

  /** Readers have been told all up to here. */
  reached(position: Position): void {
    if (this.#tracer !== null && !this.#traced.has(position)) this.#traced.set(position, this.#tracer.position);
  }

  /** @param dueMs when its tick was due; `null`: it does not belong to one */
  began(from: Position | null, changes: Changes, dueMs: number | null): WatchedUpdate {
    const trace = from === null ? null : this.#trace(from, changes);
    return {
      end: (readers) => {
        if (readers > 0) {
          this.#metrics?.updateDelivered(readers, dueMs === null ? null : Math.max(0, this.#now() - dueMs));
        }
        trace?.end(readers);
      },
    };
  }

  #trace(from: Position, { agents, removedAgentIds }: Changes): DeliveryTrace | null {
    const since = this.#traced.get(from);
    if (this.#tracer === null || since === undefined) return null;
    const serverIds = new Set(agents.map(({ agent }) => agent.serverId));
    for (const id of removedAgentIds) serverIds.add(id.slice(0, id.indexOf(':')));
    return this.#tracer.deliveryBegan(serverIds, since);
  }
}
