import { applyAgentUpdate } from '../apply-agent-update.js';
import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import {
  AgentPatchesDocument,
  type AgentPatchesSubscription,
  AgentUpdatesDocument,
  type AgentUpdatesSubscription,
} from '../generated/operations.js';
import { applyTopologyChanges, EMPTY_TOPOLOGY } from './apply-topology-changes.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type {
  AgentStream,
  AgentStreamRequest,
  AgentStreamRequestPatch,
  AgentStreamSnapshot,
  AgentStreamUpdate,
} from './stream-types.js';

type WireUpdate = AgentUpdatesSubscription['agentUpdates'] | AgentPatchesSubscription['agentUpdates'];

/**
 * Stream of agents. Subscribes to whole agents once, then to patches from the cursor on, also after reconnections and
 * changes of the request. Starts over with whole agents if the server does not know the cursor.
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

  updateRequest(patch: AgentStreamRequestPatch): void {
    const { request } = this.getSnapshot();
    const next = { ...request, ...withoutUndefined(patch) };
    if (JSON.stringify(next) === JSON.stringify(request)) return;
    this.patchSnapshot({ request: next });
    this.restart();
  }

  protected start(session: GraphqlWsSession): () => void {
    const { cursor, request } = this.getSnapshot();
    if (cursor === null) {
      const sink = this.sink(({ agentUpdates }: AgentUpdatesSubscription) => {
        this.#apply(agentUpdates);
        this.restart();
      });
      return session.start(AgentUpdatesDocument, request, sink);
    }
    this.markLive();
    const sink = this.sink(({ agentUpdates }: AgentPatchesSubscription) => {
      if (agentUpdates.kind === 'DELTA') {
        this.#apply(agentUpdates);
        return;
      }
      // The server does not know the cursor: it was restarted, or the cursor is too old.
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
    return [waiting === undefined ? next : mergeUpdates(waiting, next)];
  }

  #apply(update: WireUpdate): void {
    const { kind, cursor, timestamp, removedAgentIds, staleServerIds, rate } = update;
    const previous = this.getSnapshot();
    const agents = applyAgentUpdate(previous.agents, update);
    const { swarms, edges } = applyTopologyChanges(previous, kind === 'SNAPSHOT', update.topologyChanges);
    this.patchLiveSnapshot({ agents, swarms, edges, cursor, timestamp, staleServerIds, rate });
    const updated = 'patches' in update ? update.patches : update.agents;
    const changed = updated.flatMap(({ id }) => agents.get(id) ?? []);
    this.publish({ kind, agents: changed, removedAgentIds, snapshot: this.getSnapshot() });
  }
}

function mergeUpdates(first: AgentStreamUpdate, second: AgentStreamUpdate): AgentStreamUpdate {
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

function withoutUndefined(patch: AgentStreamRequestPatch): Partial<AgentStreamRequest> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}
