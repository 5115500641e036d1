import type { Agent, TopologyEdge } from '../../src/model/index.js';
import {
  type ViewChanges,
  changesSince,
  maskAgent,
  matchesAgent,
  type CursorPosition,
  type Store,
  type View,
} from '../../src/state/index.js';

/** A client as the contract describes it: keeps a picture, applies what it is told, holds nothing but a position. */
export class Reader {
  readonly agents = new Map<string, unknown>();
  readonly patched = new Map<string, Record<string, unknown>>();
  readonly edges = new Map<string, TopologyEdge>();
  staleServerIds: readonly string[] = [];
  position: CursorPosition | null = null;

  read(store: Store, view: View): ViewChanges {
    const changes = changesSince(store, this.position, view);
    this.position = changes.position;
    if (changes.kind === 'SNAPSHOT') {
      this.agents.clear();
      this.patched.clear();
      this.edges.clear();
    }
    for (const { agent, patch } of changes.agents) {
      this.agents.set(agent.id, agent);
      const base = changes.kind === 'SNAPSHOT' ? {} : (this.patched.get(agent.id) ?? {});
      this.patched.set(agent.id, merge(base, changes.kind === 'SNAPSHOT' ? agent : patch()));
    }
    for (const id of changes.removedAgentIds) {
      this.agents.delete(id);
      this.patched.delete(id);
    }
    if (changes.topologyChanges === null) this.edges.clear();
    for (const change of changes.topologyChanges ?? []) {
      for (const edge of change.edges) this.edges.set(edge.id, edge);
      for (const id of change.removedEdgeIds) this.edges.delete(id);
    }
    this.staleServerIds = changes.staleServerIds;
    return changes;
  }
}

/** RFC 7396, as in its section 2; deleted keys are left out, which reads as null. */
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

/** What a fresh query with the same filters and switches gives. */
export function expectedAgents(store: Store, view: View): Map<string, Agent> {
  return new Map(store.agentsMatching(view).map((agent) => [agent.id, maskAgent(view, agent)]));
}

export function expectedEdges(store: Store, view: View): Map<string, TopologyEdge> {
  if (!view.includeTopology) return new Map();
  const seen = (id: string): boolean => {
    const agent = store.agents.get(id);
    return agent !== undefined && matchesAgent(view, agent);
  };
  return new Map(
    [...store.edges.values()].filter((edge) => seen(edge.from) && seen(edge.to)).map((edge) => [edge.id, edge]),
  );
}

/** Null leaves and absent keys read the same. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null)
      .map(([key, one]) => [key, withoutNulls(one)]),
  );
}
