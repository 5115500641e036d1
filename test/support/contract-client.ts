import { expect } from 'vitest';
import type { Agent, Task, TopologyEdge } from '../../src/model/index.js';
import {
  type ViewChanges,
  changesSince,
  maskAgent,
  matchesAgent,
  matchesServer,
  type CursorPosition,
  type Store,
  type View,
} from '../../src/state/index.js';

/** Reader of the store that applies changes as `docs/protocol.md` prescribes, and keeps only its state and position. */
export class Reader {
  readonly agents = new Map<string, unknown>();
  readonly patched = new Map<string, Record<string, unknown>>();
  readonly edges = new Map<string, TopologyEdge>();
  /** Topology names of the visible swarms. */
  readonly swarms = new Map<string, string | null>();
  readonly tasks = new Map<string, Task>();
  staleServerIds: readonly string[] = [];
  position: CursorPosition | null = null;

  read(store: Store, view: View): ViewChanges {
    const changes = changesSince(store, this.position, view);
    this.position = changes.position;
    if (changes.kind === 'SNAPSHOT') {
      this.agents.clear();
      this.patched.clear();
      this.edges.clear();
      this.swarms.clear();
      this.tasks.clear();
    }
    for (const task of changes.tasks) this.tasks.set(task.id, task);
    for (const id of changes.removedTaskIds) this.tasks.delete(id);
    for (const { agent, patch } of changes.agents) {
      this.agents.set(agent.id, agent);
      const base = changes.kind === 'SNAPSHOT' ? {} : (this.patched.get(agent.id) ?? {});
      this.patched.set(agent.id, merge(base, changes.kind === 'SNAPSHOT' ? agent : patch()));
    }
    for (const id of changes.removedAgentIds) {
      this.agents.delete(id);
      this.patched.delete(id);
    }
    if (changes.topologyChanges === null) {
      this.edges.clear();
      this.swarms.clear();
    }
    for (const change of changes.topologyChanges ?? []) {
      if (change.swarm === null) this.swarms.delete(change.swarmId);
      else this.swarms.set(change.swarmId, change.swarm.topologyName);
      if (change.kind === 'SNAPSHOT') {
        for (const { id, swarmId } of this.edges.values()) if (swarmId === change.swarmId) this.edges.delete(id);
      }
      for (const edge of change.edges) this.edges.set(edge.id, edge);
      for (const id of change.removedEdgeIds) this.edges.delete(id);
    }
    // An empty update is not sent.
    if (!changes.isEmpty) this.staleServerIds = changes.staleServerIds;
    return changes;
  }
}

/** Applies a JSON Merge Patch as in section 2 of RFC 7396. Deleted keys are missing, which is equal to null. */
export function merge(target: Record<string, unknown>, patch: object): Record<string, unknown> {
  const result = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else if (isObject(value)) result[key] = merge(isObject(result[key]) ? result[key] : {}, value);
    else result[key] = value;
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the agents that a query with the same view returns now. */
export function expectedAgents(store: Store, view: View): Map<string, Agent> {
  return new Map(store.agentsMatching(view).map((agent) => [agent.id, maskAgent(view, agent)]));
}

/** Returns the tasks that a query with the same view returns now, found without an index. */
export function expectedTasks(store: Store, view: View): Map<string, Task> {
  const tasks = [...store.tasks.values()].filter(
    ({ serverId, serverType, swarmId, agentIds }) =>
      (view.serverIds?.has(serverId) ?? true) &&
      (view.serverTypes?.has(serverType) ?? true) &&
      (view.swarmIds?.has(swarmId ?? '') ?? true) &&
      (view.agentIds === null || agentIds.some((id) => view.agentIds?.has(id))),
  );
  return new Map(tasks.map((task) => [task.id, task]));
}

export function expectedEdges(store: Store, view: View): Map<string, TopologyEdge> {
  if (!view.includeTopology) return new Map();
  const isVisible = (id: string): boolean => {
    const agent = store.agents.get(id);
    return agent !== undefined && matchesAgent(view, agent);
  };
  return new Map(
    [...store.edges.values()]
      .filter((edge) => isVisible(edge.from) && isVisible(edge.to))
      .map((edge) => [edge.id, edge]),
  );
}

/** Returns the topology names of the swarms that a reader of the view has. */
export function expectedSwarms(store: Store, view: View): Map<string, string | null> {
  if (!view.includeTopology) return new Map();
  const visible = [...store.swarms.values()].filter(
    ({ id, serverId, serverType }) =>
      (view.serverIds?.has(serverId) ?? true) &&
      (view.serverTypes?.has(serverType) ?? true) &&
      (view.swarmIds?.has(id) ?? true),
  );
  return new Map(visible.map(({ id, topologyName }) => [id, topologyName]));
}

/** Asserts that a reader has exactly the state of the store in a view. */
export function expectCurrentState(reader: Reader, store: Store, view: View): void {
  const stale = [...store.servers.values()].filter((server) => server.stale && matchesServer(view, server));
  expect([...reader.staleServerIds].sort()).toEqual(stale.map(({ id }) => id).sort());
  if (view.subject === 'tasks') {
    expect(reader.tasks).toEqual(expectedTasks(store, view));
    return;
  }
  const expected = expectedAgents(store, view);
  expect(reader.agents).toEqual(expected);
  const patched = new Map([...reader.patched].map(([id, agent]) => [id, withoutNulls(agent)]));
  expect(patched).toEqual(new Map([...expected].map(([id, agent]) => [id, withoutNulls(agent)])));
  expect(reader.edges).toEqual(expectedEdges(store, view));
  expect(reader.swarms).toEqual(expectedSwarms(store, view));
}

/** Removes null values from objects, because a null value and a missing key are equal in a merge patch. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([key, one]) => [key, withoutNulls(one)]),
  );
}
