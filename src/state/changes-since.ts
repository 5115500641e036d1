import type { Agent, Swarm, Task, TopologyEdge } from '../model/index.js';
import { AgentDelta, createAgentChange, type AgentChange, fullAgentChange } from './agent-delta.js';
import type { CursorPosition } from './cursor.js';
import type { RevisionedMap, RevisionedRecord, PastKeys } from './revisioned-map.js';
import { hasVisibleChange, patchSince, excludedPartsPatch, includeChangePatch, fullPatch } from './agent-patch.js';
import type { ServerKey, Store, SwarmKey } from './store.js';
import { matchesAgent, matchesServer, matchesTask, type View } from './view.js';

/** Changes that bring a reader to the current state of the store. */
export interface ViewChanges {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  /** Position of the reader after it has applied the changes. */
  readonly position: CursorPosition;
  /**
   * SNAPSHOT: all matching agents; DELTA: agents that changed or entered the view. Parts that the view excludes are null.
   * Empty for a view of tasks.
   */
  readonly agents: readonly AgentChange[];
  /** Ids of agents that were removed or left the view. Empty for a view of tasks. */
  readonly removedAgentIds: readonly string[];
  /** Null if the view excludes topology, and for a view of tasks. */
  readonly topologyChanges: readonly TopologyChange[] | null;
  /** SNAPSHOT: all matching tasks; DELTA: tasks that changed or entered the view. Empty for a view of agents. */
  readonly tasks: readonly Task[];
  /** Ids of tasks that were removed or left the view. Empty for a view of agents. */
  readonly removedTaskIds: readonly string[];
  /** Ids of the servers in the view whose items show last known values. */
  readonly staleServerIds: readonly string[];
  /** Whether nothing changed for the reader. */
  readonly isEmpty: boolean;
}

export interface TopologyChange {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly swarmId: string;
  /** Null if the swarm was removed or never reported. */
  readonly swarm: Swarm | null;
  /** SNAPSHOT: all edges; DELTA: new and changed edges. */
  readonly edges: readonly TopologyEdge[];
  readonly removedEdgeIds: readonly string[];
}

/**
 * Returns the changes that bring a reader from `since` to the current state. Returns a snapshot if `since` is null or older
 * than the tombstone horizon, and one conflated delta otherwise. The view may differ from the view at `since`; the delta
 * then includes what entered and left it.
 */
export function changesSince(store: Store, since: CursorPosition | null, view: View): ViewChanges {
  const position: CursorPosition = { revision: store.revision, view };
  const staleServerIds = staleServers(store, view);
  const needsSnapshot =
    since?.view.subject !== view.subject ||
    since.revision > store.revision ||
    since.revision < store.horizonOf(view.subject);
  if (view.subject === 'tasks')
    return taskChanges(store, needsSnapshot ? null : since, view, { position, staleServerIds });
  if (needsSnapshot) {
    return {
      ...NO_TASKS,
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
  const topology = view.includeTopology ? topologyChanges(store, since, view) : null;
  const isEmpty =
    agents.length === 0 &&
    removedAgentIds.length === 0 &&
    (topology === null || topology.length === 0) &&
    !haveStaleServersChanged(store, since, view) &&
    since.resumedFrom !== 'OTHER_NODE';
  return {
    ...NO_TASKS,
    kind: 'DELTA',
    position,
    agents,
    removedAgentIds,
    topologyChanges: topology,
    staleServerIds,
    isEmpty,
  };
}

const NO_TASKS = { tasks: [], removedTaskIds: [] } as const;
const NO_AGENTS = { agents: [], removedAgentIds: [], topologyChanges: null } as const;

function taskChanges(
  store: Store,
  since: CursorPosition | null,
  view: View,
  common: Pick<ViewChanges, 'position' | 'staleServerIds'>,
): ViewChanges {
  if (since === null) {
    const tasks = store.tasksMatching(view);
    return { ...common, ...NO_AGENTS, kind: 'SNAPSHOT', tasks, removedTaskIds: [], isEmpty: false };
  }
  const tasks: Task[] = [];
  const removedTaskIds: string[] = [];
  for (const record of candidateRecords(store.tasks, since, view)) {
    const past = pastKeysFor(record, since);
    const matched = mayHaveSeen(past, since, view, matchesTask);
    const task = record.value;
    if (task === null || !matchesTask(view, task)) {
      if (matched) removedTaskIds.push(record.id);
    } else if (!matched || !past.exact || record.revision > since.revision) tasks.push(task);
  }
  const isEmpty =
    tasks.length === 0 &&
    removedTaskIds.length === 0 &&
    !haveStaleServersChanged(store, since, view) &&
    since.resumedFrom !== 'OTHER_NODE';
  return { ...common, ...NO_AGENTS, kind: 'DELTA', tasks, removedTaskIds, isEmpty };
}

function agentChanges(
  store: Store,
  since: CursorPosition,
  view: View,
): { agents: readonly AgentChange[]; removedAgentIds: readonly string[] } {
  const agents: AgentChange[] = [];
  const removedAgentIds: string[] = [];
  const sameView = since.view.key === view.key;
  for (const delta of agentDeltas(store, since, view)) {
    const { agent, pastKeys } = delta;
    const matched = mayHaveSeen(pastKeys, since, view, matchesAgent);
    if (agent === null || !matchesAgent(view, agent)) {
      if (matched) removedAgentIds.push(delta.id);
    } else {
      const change = matched
        ? agentChangeFor(store, delta, agent, { since, view, sameView })
        : delta.fullChange(agent, view);
      if (change !== null) agents.push(change);
    }
  }
  return { agents, removedAgentIds };
}

/** Yields changed agents; all agents if the view differs, because unchanged agents may have entered or left it. */
function* agentDeltas(store: Store, since: CursorPosition, view: View): Generator<AgentDelta> {
  if (since.view.key === view.key && since.resumedFrom === undefined) yield* store.agentDeltas(since.revision);
  else {
    for (const record of candidateRecords(store.agents, since, view))
      yield new AgentDelta(record, since.revision, store.lastSeenAt, pastKeysFor(record, since));
  }
}

/** Returns whether a reader saw an entry with these filter keys, or may have seen it. */
function mayHaveSeen<K>(
  { exact, keys }: PastKeys<K>,
  since: CursorPosition,
  view: View,
  matches: (view: View, key: K) => boolean,
): boolean {
  // A reader that received later changes received them through either view.
  return keys.some((key) => matches(since.view, key) || (!exact && matches(view, key)));
}

/** Returns the filter keys that a reader saw. After a resumption, returns every key that the reader may have seen. */
function pastKeysFor<V, K>(record: RevisionedRecord<V, K>, since: CursorPosition): PastKeys<K> {
  if (since.resumedFrom === undefined) return record.keysAt(since.revision);
  const past = record.keysSince(since.revision);
  // Another node may have sent values that this node never had.
  const isExact = past.exact && (since.resumedFrom === 'THIS_NODE' || record.revision <= since.revision);
  return isExact ? past : { exact: false, keys: past.keys };
}

/** Returns the change of an agent that the reader has or may have. Null if nothing changed for the reader. */
function agentChangeFor(
  store: Store,
  delta: AgentDelta,
  agent: Agent,
  { since, view, sameView }: { readonly since: CursorPosition; readonly view: View; readonly sameView: boolean },
): AgentChange | null {
  if (delta.pastKeys.exact)
    return sameView ? delta.changeFor(agent, view) : changeBetweenViews(store, delta, agent, since, view);
  if (sameView) return delta.fullChange(agent, view);
  return createAgentChange(agent, view, store.lastSeenAt, () => ({
    ...excludedPartsPatch(since.view, view),
    ...fullPatch(agent, view),
  }));
}

/** Returns the change of an agent that the reader has, when the view includes other parts than before. */
function changeBetweenViews(
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

/**
 * Returns changed records, oldest change first; all records if the view differs, because unchanged records may have entered
 * or left it.
 */
function candidateRecords<V, K>(
  map: RevisionedMap<V, K>,
  since: CursorPosition | null,
  view: View,
): Iterable<RevisionedRecord<V, K>> {
  return since?.view.key === view.key ? [...map.changedSince(since.revision)].reverse() : map.records();
}

function topologyChanges(store: Store, reader: CursorPosition | null, view: View): readonly TopologyChange[] {
  // A reader whose view excluded topology has no topology yet.
  const since = reader?.view.includeTopology === true ? reader : null;
  // It may have received some through the same view after the cursor that it resumes with.
  const seen = since ?? (reader?.resumedFrom === undefined ? null : { ...reader, view });
  if (since?.view.key === view.key && !hasTopologyChanged(store, since.revision)) return [];
  const changes = new Map<string, { edges: TopologyEdge[]; removedEdgeIds: string[] }>();
  const changeIn = (swarmId: string): { edges: TopologyEdge[]; removedEdgeIds: string[] } => {
    let change = changes.get(swarmId);
    if (change === undefined) changes.set(swarmId, (change = { edges: [], removedEdgeIds: [] }));
    return change;
  };
  for (const record of candidateRecords(store.swarms, since, view)) {
    const before = seen === null ? NOTHING : pastKeysFor(record, seen);
    const wasVisible = seen !== null && mayHaveSeen(before, seen, view, matchesSwarm);
    const isVisible = record.value !== null && matchesSwarm(view, record.value);
    const isRenamed =
      since === null || !before.exact || before.keys.some((key) => key.topologyName !== record.value?.topologyName);
    if (isVisible !== wasVisible || (isVisible && isRenamed)) changeIn(record.id);
  }
  for (const record of edgeCandidates(store, since, view)) {
    const shown = seen === null ? undefined : findShownEdge(store, record, seen, view);
    const edge = record.value;
    if (edge !== null && isEdgeVisible(store, edge, view)) {
      if (since === null || shown?.isCertain !== true) changeIn(edge.swarmId).edges.push(edge);
    } else if (shown !== undefined) {
      const change = changeIn(shown.edge.swarmId);
      // A snapshot replaces all edges of the swarm.
      if (since !== null) change.removedEdgeIds.push(record.id);
    }
  }
  const kind = since === null ? 'SNAPSHOT' : 'DELTA';
  return [...changes].map(([swarmId, change]) => {
    const swarm = store.swarms.get(swarmId);
    return { kind, swarmId, swarm: swarm !== undefined && matchesSwarm(view, swarm) ? swarm : null, ...change };
  });
}

/** Returns whether anything changed after `since` that topology depends on. Most changes of agents do not affect it. */
function hasTopologyChanged({ swarms, edges, agents }: Store, since: number): boolean {
  return swarms.revision > since || edges.revision > since || agents.keyRevision > since;
}

function edgeCandidates(
  store: Store,
  since: CursorPosition | null,
  view: View,
): Iterable<RevisionedRecord<TopologyEdge, TopologyEdge>> {
  if (since?.view.key !== view.key) return store.edges.records();
  const found = new Set(store.edges.changedSince(since.revision));
  // An edge is visible only between visible agents, so an unchanged edge may have entered or left the view.
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

function isEdgeVisible(store: Store, edge: TopologyEdge, view: View): boolean {
  const from = store.agents.get(edge.from);
  const to = store.agents.get(edge.to);
  return from !== undefined && to !== undefined && matchesAgent(view, from) && matchesAgent(view, to);
}

/** Returns the edge as the reader has it or may have it, and whether the reader has its current value. */
function findShownEdge(
  store: Store,
  record: RevisionedRecord<TopologyEdge, TopologyEdge>,
  since: CursorPosition,
  view: View,
): { readonly edge: TopologyEdge; readonly isCertain: boolean } | undefined {
  const isUnchanged = record.revision <= since.revision && since.resumedFrom !== 'OTHER_NODE';
  for (const edge of pastKeysFor(record, since).keys) {
    const ends = [edge.from, edge.to].map((id) => {
      const agent = store.agents.record(id);
      return agent === undefined ? NOTHING : pastKeysFor(agent, since);
    });
    if (ends.every((past) => mayHaveSeen(past, since, view, matchesAgent)))
      return { edge, isCertain: isUnchanged && ends.every(({ exact }) => exact) };
  }
  return undefined;
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

function haveStaleServersChanged(store: Store, since: CursorPosition, view: View): boolean {
  for (const record of candidateRecords(store.servers, since, view)) {
    const past = pastKeysFor(record, since);
    const matchesStale = (seen: View, { stale, agentServerTypes }: ServerKey): boolean =>
      stale && matchesServer(seen, { id: record.id, agentServerTypes });
    const wasStale = mayHaveSeen(past, since, view, matchesStale);
    const isStale = record.value !== null && matchesStale(view, record.value);
    if (wasStale !== isStale || (isStale && !past.exact)) return true;
  }
  return false;
}
