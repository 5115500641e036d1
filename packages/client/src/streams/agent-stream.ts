import { applyAgentUpdate } from '../apply-agent-update.js';
import {
  AgentPatchesDocument,
  type AgentPatchesSubscription,
  AgentUpdatesDocument,
  type AgentUpdatesSubscription,
} from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import type {
  AgentStreamRequestPatch,
  AgentStreamRequest,
  AgentStreamSnapshot,
  AgentStream,
  AgentStreamUpdate,
} from './stream-types.js';
import { applyTopologyChanges, EMPTY_TOPOLOGY } from './apply-topology-changes.js';

type Update = AgentUpdatesSubscription['agentUpdates'] | AgentPatchesSubscription['agentUpdates'];

/**
 * Whole agents once, then patches from that cursor on, over whatever connection and with whatever filters. Where the
 * server does not know the cursor any more, it begins again with whole ones.
 */
export class SubscribedAgentStream extends BaseStream<AgentStreamSnapshot, AgentStreamUpdate> implements AgentStream {
  constructor(deps: BaseStreamDeps, request: AgentStreamRequest, signal: AbortSignal | undefined) {
    const initial: AgentStreamSnapshot = {
      status: 'IDLE',
      error: null,
      request,
      agents: new Map(),
      ...EMPTY_TOPOLOGY,
      cursor: null,
      timestamp: null,
      staleServerIds: [],
      rate: null,
    };
    super(deps, initial, signal);
  }

  updateRequest(change: AgentStreamRequestPatch): void {
    const { request } = this.getSnapshot();
    const next = { ...request, ...definedOf(change) };
    if (JSON.stringify(next) === JSON.stringify(request)) return;
    this.patchSnapshot({ request: next });
    this.restart();
  }

  protected start(session: GraphqlWsSession): () => void {
    const { cursor, request } = this.getSnapshot();
    if (cursor === null) {
      const sink = this.sink(({ agentUpdates }: AgentUpdatesSubscription) => {
        this.#take(agentUpdates);
        this.restart();
      });
      return session.start(AgentUpdatesDocument, request, sink);
    }
    this.markLive();
    const sink = this.sink(({ agentUpdates }: AgentPatchesSubscription) => {
      if (agentUpdates.kind === 'DELTA') {
        this.#take(agentUpdates);
        return;
      }
      // The server does not know the cursor: it has been restarted, or that was too long ago.
      this.patchSnapshot({ cursor: null });
      this.restart();
    });
    return session.start(AgentPatchesDocument, { ...request, after: cursor }, sink);
  }

  protected initialUpdate(): AgentStreamUpdate | null {
    const snapshot = this.getSnapshot();
    if (snapshot.cursor === null) return null;
    return { kind: 'SNAPSHOT', agents: [...snapshot.agents.values()], removedAgentIds: [], snapshot };
  }

  protected conflate([waiting]: readonly AgentStreamUpdate[], next: AgentStreamUpdate): readonly AgentStreamUpdate[] {
    return [waiting === undefined ? next : merged(waiting, next)];
  }

  #take(update: Update): void {
    const { kind, cursor, timestamp, removedAgentIds, staleServerIds, rate } = update;
    const before = this.getSnapshot();
    const agents = applyAgentUpdate(before.agents, update);
    const topology = applyTopologyChanges(before, kind === 'SNAPSHOT', update.topologyChanges);
    const { swarms, edges } = topology;
    this.patchLiveSnapshot({ agents, swarms, edges, cursor, timestamp, staleServerIds, rate });
    const told = 'patches' in update ? update.patches : update.agents;
    const changed = told.flatMap(({ id }) => agents.get(id) ?? []);
    this.publish({ kind, agents: changed, removedAgentIds, snapshot: this.getSnapshot() });
  }
}

/** Two updates as one. */
function merged(first: AgentStreamUpdate, second: AgentStreamUpdate): AgentStreamUpdate {
  if (second.kind === 'SNAPSHOT') return second;
  const { snapshot } = second;
  if (first.kind === 'SNAPSHOT') {
    return { kind: 'SNAPSHOT', agents: [...snapshot.agents.values()], removedAgentIds: [], snapshot };
  }
  const changed = new Set([...first.agents, ...second.agents].map(({ id }) => id));
  const removed = new Set([...first.removedAgentIds, ...second.removedAgentIds]);
  return {
    kind: 'DELTA',
    agents: [...changed].flatMap((id) => snapshot.agents.get(id) ?? []),
    removedAgentIds: [...removed].filter((id) => !snapshot.agents.has(id)),
    snapshot,
  };
}

/** Without the keys that say nothing. */
function definedOf(change: AgentStreamRequestPatch): Partial<AgentStreamRequest> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
