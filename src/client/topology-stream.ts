import { TopologyUpdatesDocument, type TopologyUpdatesSubscription } from './generated/operations.js';
import { Live, type LiveDeps } from './live.js';
import type { Session } from './session.js';
import type { TopologyRequest, TopologySnapshot } from './streams.js';
import { applyTopologyChanges, NO_TOPOLOGY } from './topology-picture.js';

/** Swarms and edges, from the stream of agents, because that one has a cursor to go on from. */
export class LiveTopology extends Live<TopologySnapshot, TopologySnapshot> {
  readonly #request: TopologyRequest;

  constructor(deps: LiveDeps, request: TopologyRequest, signal: AbortSignal | undefined) {
    const initial: TopologySnapshot = {
      status: 'IDLE',
      error: null,
      ...NO_TOPOLOGY,
      cursor: null,
      timestamp: null,
      staleServerIds: [],
      rate: null,
    };
    super(deps, initial, signal);
    this.#request = request;
  }

  protected begin(session: Session): () => void {
    const { cursor } = this.getSnapshot();
    if (cursor !== null) this.resumed();
    const { serverTypes, swarmIds, mode = 'NORMAL' } = this.#request;
    const variables = { serverTypes: serverTypes ?? null, swarmIds: swarmIds ?? null, mode, after: cursor };
    const sink = this.sink(({ agentUpdates: update }: TopologyUpdatesSubscription) => {
      const before = this.getSnapshot();
      const { swarms, edges } = applyTopologyChanges(before, update.kind === 'SNAPSHOT', update.topologyChanges);
      const { timestamp, staleServerIds, rate } = update;
      this.arrived({ swarms, edges, cursor: update.cursor, timestamp, staleServerIds, rate });
      if (swarms !== before.swarms || before.cursor === null) this.publish(this.getSnapshot());
    });
    return session.start(TopologyUpdatesDocument, variables, sink);
  }

  protected greet(): TopologySnapshot | null {
    const snapshot = this.getSnapshot();
    return snapshot.cursor === null ? null : snapshot;
  }

  protected merge(_waiting: readonly TopologySnapshot[], next: TopologySnapshot): readonly TopologySnapshot[] {
    return [next];
  }
}
