import type { Agent, Swarm, TopologyEdge } from '../model/index.js';
import { AgentDelta, createAgentChange, type AgentChange, fullAgentChange } from './agent-delta.js';
import type { CursorPosition } from './cursor.js';
import type { RevisionedMap, RevisionedRecord, PastKeys } from './revisioned-map.js';
import { hasVisibleChange, patchSince, excludedPartsPatch, includeChangePatch, fullPatch } from './agent-patch.js';
import type { Store, SwarmKey } from './store.js';
import { type AgentKey, matchesAgent, matchesServer, type View } from './view.js';

/** What a reader has to be told so that its picture is the store's. */
export interface ViewChanges {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  /** Where the reader stands once it has been told. */
  readonly position: CursorPosition;
  /** SNAPSHOT: all that match; DELTA: those that changed, or entered the view. Parts left out by the view are `null`. */
  readonly agents: readonly AgentChange[];
  /** Agents that are gone, or left the view. */
  readonly removedAgentIds: readonly string[];
  /** `null` when the view leaves topology out. */
  readonly topologyChanges: readonly TopologyChange[] | null;
  /** Servers whose agents are last known values, as far as the view can see them. */
  readonly staleServerIds: readonly string[];
  /** Nothing that the reader would notice. */
  readonly isEmpty: boolean;
}

export interface TopologyChange {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly swarmId: string;
  /** `null`: the swarm is gone, or was never reported. */
  readonly swarm: Swarm | null;
  /** SNAPSHOT: all; DELTA: new or changed ones. */
  readonly edges: readonly TopologyEdge[];
  readonly removedEdgeIds: readonly string[];
}

/**
 * The one function that answers every reader: the newcomer (`since` is `null`), the one that keeps up, the one that
 * fell behind, and the one that comes back, with the same view or another.
 */
export function changesSince(store: Store, since: CursorPosition | null, view: View): ViewChanges {
  const position: CursorPosition = { revision: store.revision, view };
  const staleServerIds = staleServers(store, view);
  if (since === null || since.revision > store.revision || since.revision < store.horizon) {
    return {
      kind: 'SNAPSHOT',
      position,
      agents: store.agentsMatching(view).map((agent) => fullAgentChange(agent, view, store.lastSeenAt)),
      removedAgentIds: [],
      topologyChanges: view.includeTopology ? topologyChanges(store, null, view) : null,
      staleServerIds,
      isEmpty: false,
    };
  }
  const { agents, removedAgentIds } = agentChanges(store, since, view);
  // A reader that left topology out until now knows nothing of it.
  const topologySince = since.view.includeTopology ? since : null;
  const topology = view.includeTopology ? topologyChanges(store, topologySince, view) : null;
  const empty =
    agents.length === 0 &&
    removedAgentIds.length === 0 &&
    (topology === null || topology.length === 0) &&
    !staleServersChanged(store, since, view) &&
    since.isFromOtherNode !== true;
  return {
    kind: 'DELTA',
    position,
    agents,
    removedAgentIds,
    topologyChanges: topology,
    staleServerIds,
    isEmpty: empty,
  };
}

function agentChanges(
  store: Store,
  since: CursorPosition,
  view: View,
): { agents: readonly AgentChange[]; removedAgentIds: readonly string[] } {
  const agents: AgentChange[] = [];
  const removedAgentIds: string[] = [];
  const sameView = since.view.key === view.key;
  for (const delta of agentDeltas(store, since, sameView)) {
    const { agent, pastKeys } = delta;
    const matched = pastKeys.keys.some((key) => matchesAgent(since.view, key));
    if (agent === null || !matchesAgent(view, agent)) {
      if (matched) removedAgentIds.push(delta.id);
    } else {
      const change = matched ? changeOf(store, delta, agent, { since, view, sameView }) : delta.fullChange(agent, view);
      if (change !== null) agents.push(change);
    }
  }
  return { agents, removedAgentIds };
}

/** With another view than before, what did not change may still have entered or left it. */
function* agentDeltas(store: Store, since: CursorPosition, sameView: boolean): Generator<AgentDelta> {
  if (sameView && since.isFromOtherNode !== true) yield* store.agentDeltas(since.revision);
  else {
    for (const record of sameView ? store.agents.changedSince(since.revision) : store.agents.records()) {
      yield new AgentDelta(record, since.revision, store.lastSeenAt, pastOf(record, since));
    }
  }
}

/** What the filters of a reader saw, or may have seen where it was another node's picture that they looked at. */
function pastOf<V, K>(record: RevisionedRecord<V, K>, since: CursorPosition): PastKeys<K> {
  return since.isFromOtherNode === true && record.revision > since.revision
    ? record.allPastKeys()
    : record.keysAt(since.revision);
}

/** What a reader is told of an agent that it has, or may have; `null`: it would not notice. */
function changeOf(
  store: Store,
  delta: AgentDelta,
  agent: Agent,
  { since, view, sameView }: { readonly since: CursorPosition; readonly view: View; readonly sameView: boolean },
): AgentChange | null {
  if (delta.pastKeys.exact)
    return sameView ? delta.changeFor(agent, view) : switchedAgent(store, delta, agent, since, view);
  if (sameView) return delta.fullChange(agent, view);
  return createAgentChange(agent, view, store.lastSeenAt, () => ({
    ...excludedPartsPatch(since.view, view),
    ...fullPatch(agent, view),
  }));
}

/** An agent that the reader has, seen through another view now. */
function switchedAgent(
  store: Store,
  { fieldRevisions }: AgentDelta,
  agent: Agent,
  since: CursorPosition,
  view: View,
): AgentChange | null {
  const switched = includeChangePatch(agent, fieldRevisions, since, view);
  if (Object.keys(switched).length === 0 && !hasVisibleChange(fieldRevisions, view, since.revision)) return null;
  return createAgentChange(agent, view, store.lastSeenAt, () => ({
    ...patchSince(agent, fieldRevisions, view, since.revision),
    ...switched,
  }));
}

/** Oldest change first. With another view than before, what did not change may still have entered or left it. */
function candidates<V, K>(
  ledger: RevisionedMap<V, K>,
  since: CursorPosition | null,
  view: View,
): Iterable<RevisionedRecord<V, K>> {
  return since?.view.key === view.key ? [...ledger.changedSince(since.revision)].reverse() : ledger.records();
}

function matchedAt(record: RevisionedRecord<Agent, AgentKey> | undefined, since: CursorPosition): boolean {
  return record !== undefined && pastOf(record, since).keys.some((key) => matchesAgent(since.view, key));
}

function topologyChanges(store: Store, since: CursorPosition | null, view: View): readonly TopologyChange[] {
  if (since?.view.key === view.key && !topologyMoved(store, since.revision)) return [];
  const changes = new Map<string, { edges: TopologyEdge[]; removedEdgeIds: string[] }>();
  const changeIn = (swarmId: string): { edges: TopologyEdge[]; removedEdgeIds: string[] } => {
    let change = changes.get(swarmId);
    if (change === undefined) changes.set(swarmId, (change = { edges: [], removedEdgeIds: [] }));
    return change;
  };
  for (const record of candidates(store.swarms, since, view)) {
    const before = since === null ? NOTHING : pastOf(record, since);
    const seenBefore = since !== null && before.keys.some((key) => matchesSwarm(since.view, key));
    const seenNow = record.value !== null && matchesSwarm(view, record.value);
    const renamed = !before.exact || before.keys.some((key) => key.topologyName !== record.value?.topologyName);
    if (seenNow !== seenBefore || (seenNow && renamed)) changeIn(record.id);
  }
  for (const record of edgeCandidates(store, since, view)) {
    const before = since === null ? NOTHING : pastOf(record, since);
    const seen = since === null ? undefined : before.keys.find((key) => edgeVisibleAt(store, key, since));
    const edge = record.value;
    if (edge !== null && edgeVisible(store, edge, view)) {
      if (since === null || seen === undefined || since.isFromOtherNode === true || record.revision > since.revision)
        changeIn(edge.swarmId).edges.push(edge);
    } else if (seen !== undefined) {
      changeIn(seen.swarmId).removedEdgeIds.push(record.id);
    }
  }
  const kind = since === null ? 'SNAPSHOT' : 'DELTA';
  return [...changes].map(([swarmId, change]) => {
    const swarm = store.swarms.get(swarmId);
    return { kind, swarmId, swarm: swarm !== undefined && matchesSwarm(view, swarm) ? swarm : null, ...change };
  });
}

/** Whether anything happened after `since` that topology may depend on; most changes of agents are none of it. */
function topologyMoved({ swarms, edges, agents }: Store, since: number): boolean {
  return swarms.revision > since || edges.revision > since || agents.keyRevision > since;
}

function edgeCandidates(
  store: Store,
  since: CursorPosition | null,
  view: View,
): Iterable<RevisionedRecord<TopologyEdge, TopologyEdge>> {
  if (since?.view.key !== view.key) return store.edges.records();
  const found = new Set(store.edges.changedSince(since.revision));
  // An edge is seen only between agents that are seen, so one that did not change may have come into view or left it.
  for (const agent of store.agents.changedSince(since.revision)) {
    if (agent.keyRevision <= since.revision) continue;
    for (const edgeId of store.edgesOfAgent(agent.id)) {
      const record = store.edges.record(edgeId);
      if (record !== undefined) found.add(record);
    }
  }
  return found;
}

const NOTHING = { exact: true, keys: [] } as const;

function edgeVisible(store: Store, edge: TopologyEdge, view: View): boolean {
  const from = store.agents.get(edge.from);
  const to = store.agents.get(edge.to);
  return from !== undefined && to !== undefined && matchesAgent(view, from) && matchesAgent(view, to);
}

function edgeVisibleAt(store: Store, edge: TopologyEdge, at: CursorPosition): boolean {
  const from = store.agents.record(edge.from);
  const to = store.agents.record(edge.to);
  return matchedAt(from, at) && matchedAt(to, at);
}

function matchesSwarm(view: View, swarm: SwarmKey): boolean {
  return (
    (view.serverIds === null || view.serverIds.has(swarm.serverId)) &&
    (view.serverTypes === null || view.serverTypes.has(swarm.serverType)) &&
    (view.swarmIds === null || view.swarmIds.has(swarm.id))
  );
}

function staleServers(store: Store, view: View): readonly string[] {
  const ids: string[] = [];
  for (const server of store.servers.values()) if (server.stale && matchesServer(view, server)) ids.push(server.id);
  return ids;
}

function staleServersChanged(store: Store, since: CursorPosition, view: View): boolean {
  for (const record of candidates(store.servers, since, view)) {
    const staleBefore = pastOf(record, since).keys.some(
      ({ stale, families }) => stale && matchesServer(since.view, { id: record.id, agentServerTypes: families }),
    );
    const staleNow = record.value?.stale === true && matchesServer(view, record.value);
    if (staleBefore !== staleNow) return true;
  }
  return false;
}
