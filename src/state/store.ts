import type { Agent, McpServer, McpServerType, Swarm, TopologyEdge } from '../model/index.js';
import { Emitter } from '../shared/index.js';
import { type AgentDelta, computeAgentDeltas } from './agent-delta.js';
import { hasStateChanges, emptyDelta, type ServerDelta, type ServerSnapshot } from './server-delta.js';
import { decodeCursor, encodeCursor, type CursorPosition } from './cursor.js';
import { EventRing } from './event-ring.js';
import { RevisionedMap } from './revisioned-map.js';
import { stampChangedFields, agentsEqual } from './agent-patch.js';
import type { RevisionTimeline } from './revision-timeline.js';
import { type AgentKey, toAgentKey, matchesAgent, agentKeysEqual, type View } from './view.js';

/** The live picture of all servers. Every change of it has a revision; readers hold the revision they have seen. */
export class Store {
  /** Names this life of the store: revisions of another one mean nothing here. */
  readonly epoch: string;
  /** `null`: there are no other nodes. */
  readonly timeline: RevisionTimeline | null;
  readonly agents: RevisionedMap<Agent, AgentKey>;
  readonly swarms: RevisionedMap<Swarm, SwarmKey>;
  readonly edges: RevisionedMap<TopologyEdge, TopologyEdge>;
  readonly servers: RevisionedMap<McpServer, ServerKey>;
  readonly events: EventRing;
  readonly #edgesOfAgent = new Map<string, Set<string>>();
  readonly #seenAt = new Map<string, string>();
  readonly #commits = new Emitter<ServerDelta>();
  readonly #deltas = new Map<number, readonly AgentDelta[]>();
  #revision = 0;
  #commitCount = 0;

  constructor(options: StoreOptions) {
    const { maxTombstones } = options;
    this.epoch = options.epoch;
    this.timeline = options.timeline ?? null;
    this.agents = new RevisionedMap({ keyOf: toAgentKey, sameKey: agentKeysEqual, maxTombstones });
    this.swarms = new RevisionedMap({ keyOf: swarmKey, sameKey: sameSwarmKey, maxTombstones });
    this.edges = new RevisionedMap({ keyOf: (edge) => edge, sameKey: sameEdge, maxTombstones });
    this.servers = new RevisionedMap({
      keyOf: (server) => ({ stale: server.stale, families: server.agentServerTypes }),
      sameKey: (a, b) => a.stale === b.stale && a.families.join() === b.families.join(),
      maxTombstones,
    });
    this.events = new EventRing(options.maxEvents);
  }

  /** Of the last change; 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** Where a reader is told to stand, for it to come back with, here or on another node. */
  createCursor(position: CursorPosition): string {
    return encodeCursor(this.epoch, position, this.timeline?.bounds ?? null);
  }

  /**
   * @returns where the reader of a cursor stands; `null`: nowhere, it starts with a snapshot. The cursor is of an earlier life
   * of this store, of what somebody else sees, or of a node of which too little is known
   * @throws SwarmlensError BAD_USER_INPUT when it is no cursor at all
   */
  resolveCursor(cursor: string): CursorPosition | null {
    const { epoch, position, bounds } = decodeCursor(cursor);
    if (epoch === this.epoch) return position;
    const revision = bounds === null ? null : (this.timeline?.revisionAt(bounds, this.#revision) ?? null);
    return revision === null ? null : { revision, view: position.view, isFromOtherNode: true };
  }

  /** Commits so far: what was worked out of the picture at one count is true until the next. */
  get commitCount(): number {
    return this.#commitCount;
  }

  /** A reader that stands before it gets a snapshot. */
  get horizon(): number {
    return Math.max(this.agents.horizon, this.swarms.horizon, this.edges.horizon, this.servers.horizon);
  }

  /** Calls back after each change that was applied, events included; dispose to stop. */
  onCommit(callback: (change: ServerDelta) => void): Disposable {
    return this.#commits.add(callback);
  }

  /** When the agent's server last reported it. */
  readonly lastSeenAt = (agent: Agent): string =>
    agent.stale ? agent.lastSeenAt : (this.#seenAt.get(agent.serverId) ?? agent.lastSeenAt);

  /** When the server last answered. */
  serverLastSeenAt(serverId: string): string | null {
    return this.#seenAt.get(serverId) ?? null;
  }

  /** What changed of the agents after `since`, oldest change first; worked out once for all who ask before the next commit. */
  agentDeltas(since: number): readonly AgentDelta[] {
    let deltas = this.#deltas.get(since);
    if (deltas === undefined)
      this.#deltas.set(since, (deltas = computeAgentDeltas(this.agents, since, this.lastSeenAt)));
    return deltas;
  }

  agentsMatching(view: View): Agent[] {
    const found: Agent[] = [];
    for (const agent of this.agents.values()) if (matchesAgent(view, agent)) found.push(agent);
    return found;
  }

  countAgents(serverId: string): number {
    let count = 0;
    for (const agent of this.agents.values()) if (agent.serverId === serverId) count += 1;
    return count;
  }

  /** Ids of the edges that there are at an agent. */
  edgesOfAgent(agentId: string): ReadonlySet<string> {
    return this.#edgesOfAgent.get(agentId) ?? NO_EDGES;
  }

  /** What has to be applied so that everything of a server is as in `picture`. */
  diff(picture: ServerSnapshot, seenAt: string | null): ServerDelta {
    const { server } = picture;
    const previous = this.servers.get(server.id);
    return {
      ...emptyDelta(server.id),
      seenAt,
      server: previous !== undefined && sameServer(previous, server) ? null : server,
      agents: differing(this.agents, picture.agents, agentsEqual),
      removedAgentIds: missing(this.agents, picture.agents, server.id),
      swarms: differing(this.swarms, picture.swarms, sameSwarm),
      removedSwarmIds: missing(this.swarms, picture.swarms, server.id),
      edges: differing(this.edges, picture.edges, sameEdge),
      removedEdgeIds: missing(this.edges, picture.edges, server.id),
    };
  }

  /** What has to be applied so that nothing of a server is left. */
  removalDelta(serverId: string): ServerDelta {
    return {
      ...emptyDelta(serverId),
      serverRemoved: true,
      removedAgentIds: missing(this.agents, [], serverId),
      removedSwarmIds: missing(this.swarms, [], serverId),
      removedEdgeIds: missing(this.edges, [], serverId),
    };
  }

  /** Applies a change as one revision. */
  commit(change: ServerDelta): void {
    this.#deltas.clear();
    this.#commitCount += 1;
    if (change.seenAt !== null) this.#seenAt.set(change.serverId, change.seenAt);
    if (hasStateChanges(change)) {
      this.#apply(change, (this.#revision += 1));
      this.timeline?.recordRevision(this.#revision, change);
    }
    for (const event of change.events) this.events.append(event);
    this.#commits.emit(change);
  }

  #apply(change: ServerDelta, revision: number): void {
    if (change.server !== null) this.servers.put(change.serverId, change.server, revision);
    for (const id of change.removedEdgeIds) this.#removeEdge(id, revision);
    for (const id of change.removedAgentIds) this.agents.remove(id, revision);
    for (const id of change.removedSwarmIds) this.swarms.remove(id, revision);
    for (const swarm of change.swarms) this.swarms.put(swarm.id, swarm, revision);
    for (const agent of change.agents) {
      const previous = this.agents.get(agent.id) ?? null;
      const record = this.agents.put(agent.id, agent, revision);
      stampChangedFields(record.fieldRevisions, previous, agent, revision);
    }
    for (const edge of change.edges) this.#putEdge(edge, revision);
    if (change.serverRemoved) {
      this.servers.remove(change.serverId, revision);
      this.#seenAt.delete(change.serverId);
    }
  }

  #putEdge(edge: TopologyEdge, revision: number): void {
    this.#removeEdge(edge.id, revision);
    this.edges.put(edge.id, edge, revision);
    for (const agentId of [edge.from, edge.to]) {
      const ids = this.#edgesOfAgent.get(agentId);
      if (ids === undefined) this.#edgesOfAgent.set(agentId, new Set([edge.id]));
      else ids.add(edge.id);
    }
  }

  #removeEdge(id: string, revision: number): void {
    const edge = this.edges.get(id);
    if (edge === undefined) return;
    this.edges.remove(id, revision);
    for (const agentId of [edge.from, edge.to]) {
      const ids = this.#edgesOfAgent.get(agentId);
      ids?.delete(id);
      if (ids?.size === 0) this.#edgesOfAgent.delete(agentId);
    }
  }
}

const NO_EDGES: ReadonlySet<string> = new Set();

export interface StoreOptions {
  readonly epoch: string;
  /** Removals of each kind that a reader can resume over. */
  readonly maxTombstones: number;
  readonly maxEvents: number;
  /** Where there are other nodes whose readers may come here. */
  readonly timeline?: RevisionTimeline | null;
}

/** What makes a swarm's topology another one. */
export interface SwarmKey {
  readonly id: string;
  readonly serverId: string;
  readonly serverType: McpServerType;
  readonly topologyName: string | null;
}

export interface ServerKey {
  readonly stale: boolean;
  readonly families: readonly McpServerType[];
}

function swarmKey({ id, serverId, serverType, topologyName }: Swarm): SwarmKey {
  return { id, serverId, serverType, topologyName };
}

function sameSwarmKey(a: SwarmKey, b: SwarmKey): boolean {
  return a.serverType === b.serverType && a.topologyName === b.topologyName;
}

function sameSwarm(a: Swarm, b: Swarm): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameServer(a: McpServer, b: McpServer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameEdge(a: TopologyEdge, b: TopologyEdge): boolean {
  return a.from === b.from && a.to === b.to && a.relation === b.relation && a.inferred === b.inferred;
}

function differing<V extends { readonly id: string }, K>(
  ledger: RevisionedMap<V, K>,
  values: readonly V[],
  same: (a: V, b: V) => boolean,
): V[] {
  return values.filter((value) => {
    const previous = ledger.get(value.id);
    return previous === undefined || !same(previous, value);
  });
}

function missing<V extends { readonly id: string; readonly serverId: string }, K>(
  ledger: RevisionedMap<V, K>,
  values: readonly V[],
  serverId: string,
): string[] {
  const present = new Set(values.map((value) => value.id));
  const ids: string[] = [];
  for (const value of ledger.values()) if (value.serverId === serverId && !present.has(value.id)) ids.push(value.id);
  return ids;
}
