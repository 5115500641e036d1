import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import { TopologyUpdatesDocument, type TopologyUpdatesSubscription } from '../generated/operations.js';
import { applyTopologyChanges, EMPTY_TOPOLOGY } from './apply-topology-changes.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { TopologyStreamRequest, TopologyStreamSnapshot } from './stream-types.js';

/** Stream of swarms and edges. Subscribes to `agentUpdates` without agents, because `topologyChanges` has no cursor. */
export class SubscribedTopologyStream extends BaseStream<TopologyStreamSnapshot, TopologyStreamSnapshot> {
  readonly #request: TopologyStreamRequest;

  constructor(deps: BaseStreamDeps, request: TopologyStreamRequest, signal: AbortSignal | undefined) {
    const initial: TopologyStreamSnapshot = {
      status: 'IDLE',
      error: null,
      ...EMPTY_TOPOLOGY,
      cursor: null,
      timestamp: null,
      staleServerIds: [],
      rate: null,
    };
    super(deps, initial, signal);
    this.#request = request;
  }

  protected start(session: GraphqlWsSession): () => void {
    const { cursor } = this.getSnapshot();
    if (cursor !== null) this.markLive();
    const { serverTypes, swarmIds, mode = 'NORMAL' } = this.#request;
    const variables = { serverTypes: serverTypes ?? null, swarmIds: swarmIds ?? null, mode, after: cursor };
    const sink = this.sink(({ agentUpdates: update }: TopologyUpdatesSubscription) => {
      const previous = this.getSnapshot();
      const { swarms, edges } = applyTopologyChanges(previous, update.kind === 'SNAPSHOT', update.topologyChanges);
      const { timestamp, staleServerIds, rate } = update;
      this.patchLiveSnapshot({ swarms, edges, cursor: update.cursor, timestamp, staleServerIds, rate });
      if (swarms !== previous.swarms || previous.cursor === null) this.publish(this.getSnapshot());
    });
    return session.start(TopologyUpdatesDocument, variables, sink);
  }

  protected initialUpdate(): TopologyStreamSnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.cursor === null ? null : snapshot;
  }

  protected conflate(
    _waiting: readonly TopologyStreamSnapshot[],
    next: TopologyStreamSnapshot,
  ): readonly TopologyStreamSnapshot[] {
    return [next];
  }
}
