import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import { PerformanceMetricsDocument, type PerformanceMetricsSubscription } from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { MetricsStreamRequest, MetricsStreamSnapshot } from './stream-types.js';

/** Stream of aggregated performance metrics. Every update is complete, so there is no cursor. */
export class SubscribedMetricsStream extends BaseStream<MetricsStreamSnapshot, MetricsStreamSnapshot> {
  readonly #request: MetricsStreamRequest;

  constructor(deps: BaseStreamDeps, request: MetricsStreamRequest, signal: AbortSignal | undefined) {
    super(deps, { status: 'IDLE', error: null, metrics: null }, signal);
    this.#request = request;
  }

  protected start(session: GraphqlWsSession): () => void {
    const { serverTypes = null, mode = 'LOW_FREQUENCY' } = this.#request;
    const sink = this.sink(({ performanceMetrics: metrics }: PerformanceMetricsSubscription) => {
      this.patchLiveSnapshot({ metrics });
      this.publish(this.getSnapshot());
    });
    return session.start(PerformanceMetricsDocument, { serverTypes, mode }, sink);
  }

  protected initialUpdate(): MetricsStreamSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.metrics === null ? null : snapshot;
  }

  protected conflate(
    _waiting: readonly MetricsStreamSnapshot[],
    next: MetricsStreamSnapshot,
  ): readonly MetricsStreamSnapshot[] {
    return [next];
  }
}
