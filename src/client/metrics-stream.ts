import { PerformanceMetricsDocument, type PerformanceMetricsSubscription } from './generated/operations.js';
import { Live, type LiveDeps } from './live.js';
import type { Session } from './session.js';
import type { MetricsRequest, MetricsSnapshot } from './streams.js';

/** What agents do together. The server tells it whole each time, so there is nothing to go on from. */
export class LiveMetrics extends Live<MetricsSnapshot, MetricsSnapshot> {
  readonly #request: MetricsRequest;

  constructor(deps: LiveDeps, request: MetricsRequest, signal: AbortSignal | undefined) {
    super(deps, { status: 'IDLE', error: null, metrics: null }, signal);
    this.#request = request;
  }

  protected begin(session: Session): () => void {
    const { serverTypes = null, mode = 'LOW_FREQUENCY' } = this.#request;
    const sink = this.sink(({ performanceMetrics: metrics }: PerformanceMetricsSubscription) => {
      this.arrived({ metrics });
      this.publish(this.getSnapshot());
    });
    return session.start(PerformanceMetricsDocument, { serverTypes, mode }, sink);
  }

  protected greet(): MetricsSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.metrics === null ? null : snapshot;
  }

  protected merge(_waiting: readonly MetricsSnapshot[], next: MetricsSnapshot): readonly MetricsSnapshot[] {
    return [next];
  }
}
