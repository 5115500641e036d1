import type {
  Agent,
  AgentMessage,
  McpServer,
  McpServerType,
  OperationalEvent,
  Swarm,
  Task,
  TopologyEdge,
} from '../model/index.js';
import { Emitter } from '../shared/index.js';
import { type AgentDelta, computeAgentDeltas } from './agent-delta.js';
import { type AgentCounts, AgentIndex } from './agent-index.js';
import { hasStateChanges, emptyDelta, type ServerDelta, type ServerSnapshot } from './server-delta.js';
import { decodeCursor, encodeCursor, type CursorPosition } from './cursor.js';
import { EventRing } from './event-ring.js';
import { IdIndex } from './id-index.js';
import { type SessionLink, SessionLinks } from './session-links.js';
import { aggregatePerformance, type PerformanceMetrics } from './performance-metrics.js';
import { RevisionedMap } from './revisioned-map.js';
import { stampChangedFields, agentsEqual } from './agent-patch.js';
import type { RevisionTimeline } from './revision-timeline.js';
import { ViewReferences } from './view-references.js';
import { TaskIndex } from './task-index.js';
import {
  type AgentKey,
  agentKeysEqual,
  listsEqual,
  matchesAgent,
  matchesTask,
  type TaskKey,
  taskKeysEqual,
  toAgentKey,
  toTaskKey,
  type View,
} from './view.js';

/** Revisioned state of all servers. Every change has a revision. Readers keep the revision that they have received. */
export class Store {
  /** Id of this instance of the store. Revisions of other instances are not comparable. */
  readonly epoch: string;
  /** Null on a single node. */
  readonly timeline: RevisionTimeline | null;
  readonly agents: RevisionedMap<Agent, AgentKey>;
  readonly swarms: RevisionedMap<Swarm, SwarmKey>;
  readonly edges: RevisionedMap<TopologyEdge, TopologyEdge>;
  readonly tasks: RevisionedMap<Task, TaskKey>;
  readonly servers: RevisionedMap<McpServer, ServerKey>;
  readonly events: EventRing<OperationalEvent>;
  /** Messages have a ring of their own, because talkative agents would displace the other events. */
  readonly messages: EventRing<AgentMessage>;
  readonly #agentIndex = new AgentIndex();
  readonly #taskIndex = new TaskIndex();
  readonly #swarmsByServer = new IdIndex<string>();
  readonly #edgesByServer = new IdIndex<string>();
  readonly #edgesBySwarm = new IdIndex<string>();
  readonly #edgesByAgent = new IdIndex<string>();
  readonly #seenAt = new Map<string, string>();
  /** Servers that were removed last. */
  readonly #removedServers = new Map<string, McpServer>();
  readonly #views = new ViewReferences();
  readonly #commits = new Emitter<ServerDelta>();
  readonly #deltas = new Map<number, readonly AgentDelta[]>();
  /** Metrics since the last commit, by the key of their view. */
  readonly #metrics = new Map<string, PerformanceMetrics>();
  /** Live sessions since the last commit. */
  #sessionLinks: SessionLinks | null = null;
  #revision = 0;
  #commitCount = 0;

  constructor(options: StoreOptions) {
    const { maxTombstones } = options;
    this.epoch = options.epoch;
    this.timeline = options.timeline ?? null;
    this.agents = new RevisionedMap({ toKey: toAgentKey, keysEqual: agentKeysEqual, maxTombstones });
    this.swarms = new RevisionedMap({ toKey: toSwarmKey, keysEqual: swarmKeysEqual, maxTombstones });
    this.edges = new RevisionedMap({ toKey: (edge) => edge, keysEqual: edgesEqual, maxTombstones });
    this.tasks = new RevisionedMap({ toKey: toTaskKey, keysEqual: taskKeysEqual, maxTombstones });
    this.servers = new RevisionedMap({
      toKey: ({ stale, agentServerTypes }) => ({ stale, agentServerTypes }),
      keysEqual: (a, b) => a.stale === b.stale && a.agentServerTypes.join() === b.agentServerTypes.join(),
      maxTombstones,
    });
    this.events = new EventRing(options.maxEvents);
    this.messages = new EventRing(options.maxEvents);
  }

  /** Revision of the last commit. 0 before the first. */
  get revision(): number {
    return this.#revision;
  }

  /** Encodes a position as a cursor, with which a reader can resume on this node or another one. */
  createCursor(position: CursorPosition): string {
    this.#views.add(position.view);
    return encodeCursor(this.epoch, position, this.timeline?.bounds ?? null);
  }

  /**
   * Returns the position of a cursor. Null if the reader must start with a snapshot, because the cursor belongs to an earlier
   * instance of the store, to another access scope, to a node whose revisions cannot be mapped, to a stream of other items, or
   * to a view that is no longer known.
   * @param requested view that the reader requests now
   * @throws SwarmlensError BAD_USER_INPUT if the text is not a cursor
   */
  resolveCursor(cursor: string, requested: View): CursorPosition | null {
    const { epoch, revision, view: viewOrReference, bounds } = decodeCursor(cursor);
    const view =
      typeof viewOrReference === 'string' ? this.#views.resolve(viewOrReference, requested) : viewOrReference;
    if (view?.subject !== requested.subject) return null;
    if (epoch === this.epoch) return { revision, view, resumedFrom: 'THIS_NODE' };
    const mapped = bounds === null ? null : (this.timeline?.revisionAt(bounds, this.#revision) ?? null);
    return mapped === null ? null : { revision: mapped, view, resumedFrom: 'OTHER_NODE' };
  }

  /** Number of commits so far. Results that were derived from the state are valid until it changes. */
  get commitCount(): number {
    return this.#commitCount;
  }

  /** Oldest revision from which a delta of all items can be computed. */
  get horizon(): number {
    return Math.max(this.horizonOf('agents'), this.horizonOf('tasks'));
  }

  /** Oldest revision from which a delta of a view can be computed. A reader at an older revision receives a snapshot. */
  horizonOf(subject: View['subject']): number {
    const { agents, swarms, edges, tasks, servers } = this;
    if (subject === 'tasks') return Math.max(servers.horizon, tasks.horizon);
    return Math.max(servers.horizon, agents.horizon, swarms.horizon, edges.horizon);
  }

  /** Calls back after each commit, including commits with events only. Dispose to stop. */
  onCommit(callback: (delta: ServerDelta) => void): Disposable {
    return this.#commits.add(callback);
  }

  /** Returns the time at which the server last reported the agent. */
  readonly lastSeenAt = (agent: Agent): string =>
    agent.stale ? agent.lastSeenAt : (this.#seenAt.get(agent.serverId) ?? agent.lastSeenAt);

  /** Returns the time at which the server last answered. Null if it never did. */
  serverLastSeenAt(serverId: string): string | null {
    return this.#seenAt.get(serverId) ?? null;
  }

  /** Returns the agents that changed after `since`, oldest change first. Computed once per revision until the next commit. */
  agentDeltas(since: number): readonly AgentDelta[] {
    let deltas = this.#deltas.get(since);
    if (deltas === undefined)
      this.#deltas.set(since, (deltas = computeAgentDeltas(this.agents, since, this.lastSeenAt)));
    return deltas;
  }

  /** Returns an upper bound of the number of items that match a view: those that match its most selective filter. */
  countCandidates(view: View): number {
    const [index, items] = view.subject === 'tasks' ? [this.#taskIndex, this.tasks] : [this.#agentIndex, this.agents];
    return index.candidates(view)?.reduce((sum, { size }) => sum + size, 0) ?? items.size;
  }

  agentsMatching(view: View): Agent[] {
    const candidates = this.#agentIndex.candidates(view);
    if (candidates === null) return [...this.agents.values()];
    const found: Agent[] = [];
    for (const ids of candidates) {
      for (const agent of itemsOf(this.agents, ids)) if (matchesAgent(view, agent)) found.push(agent);
    }
    return found;
  }

  tasksMatching(view: View): Task[] {
    const candidates = this.#taskIndex.candidates(view);
    if (candidates === null) return [...this.tasks.values()];
    const ids = new Set(candidates.flatMap((set) => [...set]));
    return itemsOf(this.tasks, ids).filter((task) => matchesTask(view, task));
  }

  /** Returns the metrics of the agents of a view. Computed once per view until the next commit. */
  performanceMetrics(view: View): PerformanceMetrics {
    let metrics = this.#metrics.get(view.key);
    if (metrics === undefined) {
      metrics = aggregatePerformance(this.agentsMatching(view));
      if (this.#metrics.size >= MAX_KEPT_METRICS) this.#metrics.clear();
      this.#metrics.set(view.key, metrics);
    }
    return metrics;
  }

  countAgents(serverId: string): number {
    return this.#agentIndex.ofServer(serverId).size;
  }

  countSwarmAgents(swarmId: string): number {
    return this.#agentIndex.ofSwarm(swarmId).size;
  }

  /** Returns the numbers of agents of a server by status, and of its stale agents. */
  agentCounts(serverId: string): AgentCounts {
    return this.#agentIndex.countsOf(serverId);
  }

  /** Yields each agent type with its number of agents. */
  agentTypeCounts(): Iterable<readonly [type: string, count: number]> {
    return this.#agentIndex.typeCounts();
  }

  agentsOfServer(serverId: string): readonly Agent[] {
    return itemsOf(this.agents, this.#agentIndex.ofServer(serverId));
  }

  /**
   * Returns the server of an item. If the server has just been removed, returns its last value, because an answer that takes
   * several turns of the event loop may still contain items of it.
   * @throws Error if the server is unknown
   */
  serverOfItem(serverId: string): McpServer {
    const server = this.servers.get(serverId) ?? this.#removedServers.get(serverId);
    if (server === undefined) throw new Error(`The server ${serverId} of an item is unknown.`);
    return server;
  }

  agentsOfSwarm(swarmId: string): readonly Agent[] {
    return itemsOf(this.agents, this.#agentIndex.ofSwarm(swarmId));
  }

  /** Returns the agents that an agent has started. */
  childrenOf(agentId: string): readonly Agent[] {
    return itemsOf(this.agents, this.#agentIndex.childrenOf(agentId));
  }

  tasksOfServer(serverId: string): readonly Task[] {
    return itemsOf(this.tasks, this.#taskIndex.ofServer(serverId));
  }

  /** Returns the tasks that are assigned to an agent. */
  tasksOfAgent(agentId: string): readonly Task[] {
    return itemsOf(this.tasks, this.#taskIndex.ofAgent(agentId));
  }

  swarmsOfServer(serverId: string): readonly Swarm[] {
    return itemsOf(this.swarms, this.#swarmsByServer.ids(serverId));
  }

  /**
   * Returns the session of a coding agent that does the work of a swarm. Null if it is unknown or ambiguous, and for the swarm of a
   * session.
   */
  sessionOfSwarm({ serverId, session }: Swarm): SessionLink | null {
    const server = session === undefined ? this.servers.get(serverId) : undefined;
    if (server === undefined) return null;
    this.#sessionLinks ??= new SessionLinks(this);
    return this.#sessionLinks.linkOf(server);
  }

  edgesOfServer(serverId: string): readonly TopologyEdge[] {
    return itemsOf(this.edges, this.#edgesByServer.ids(serverId));
  }

  edgesOfSwarm(swarmId: string): readonly TopologyEdge[] {
    return itemsOf(this.edges, this.#edgesBySwarm.ids(swarmId));
  }

  /** Returns the ids of all edges of an agent. */
  edgesOfAgent(agentId: string): ReadonlySet<string> {
    return this.#edgesByAgent.ids(agentId);
  }

  /** Returns the delta that brings a server to the state of `snapshot`. */
  diff(snapshot: ServerSnapshot, seenAt: string | null): ServerDelta {
    const { server } = snapshot;
    const previous = this.servers.get(server.id);
    return {
      ...emptyDelta(server.id),
      seenAt,
      server: previous !== undefined && serversEqual(previous, server) ? null : server,
      agents: selectChanged(this.agents, snapshot.agents, agentsEqual),
      removedAgentIds: selectMissingIds(this.agentsOfServer(server.id), snapshot.agents),
      swarms: selectChanged(this.swarms, snapshot.swarms, swarmsEqual),
      removedSwarmIds: selectMissingIds(this.swarmsOfServer(server.id), snapshot.swarms),
      edges: selectChanged(this.edges, snapshot.edges, edgesEqual),
      removedEdgeIds: selectMissingIds(this.edgesOfServer(server.id), snapshot.edges),
      tasks: selectChanged(this.tasks, snapshot.tasks, tasksEqual),
      removedTaskIds: selectMissingIds(this.tasksOfServer(server.id), snapshot.tasks),
    };
  }

  /** Returns the delta that removes a server and everything that belongs to it. */
  removalDelta(serverId: string): ServerDelta {
    return {
      ...emptyDelta(serverId),
      serverRemoved: true,
      removedAgentIds: selectMissingIds(this.agentsOfServer(serverId), []),
      removedSwarmIds: selectMissingIds(this.swarmsOfServer(serverId), []),
      removedEdgeIds: selectMissingIds(this.edgesOfServer(serverId), []),
      removedTaskIds: selectMissingIds(this.tasksOfServer(serverId), []),
    };
  }

  /** Applies a delta as one revision. */
  commit(delta: ServerDelta): void {
    this.#deltas.clear();
    this.#metrics.clear();
    this.#sessionLinks = null;
    this.#commitCount += 1;
    if (delta.seenAt !== null) this.#seenAt.set(delta.serverId, delta.seenAt);
    if (hasStateChanges(delta)) {
      this.#apply(delta, (this.#revision += 1));
      this.timeline?.recordRevision(this.#revision, delta);
    }
    for (const event of delta.events) {
      if (event.type === 'message') this.messages.append(event);
      else this.events.append(event);
    }
    this.#commits.emit(delta);
  }

  #apply(delta: ServerDelta, revision: number): void {
    if (delta.server !== null) this.servers.put(delta.serverId, delta.server, revision);
    for (const id of delta.removedEdgeIds) this.#removeEdge(id, revision);
    for (const id of delta.removedAgentIds) {
      this.#agentIndex.update(this.agents.get(id) ?? null, null);
      this.agents.remove(id, revision);
    }
    for (const id of delta.removedSwarmIds) {
      this.#swarmsByServer.move(id, delta.serverId, null);
      this.swarms.remove(id, revision);
    }
    for (const swarm of delta.swarms) {
      this.#swarmsByServer.move(swarm.id, null, delta.serverId);
      this.swarms.put(swarm.id, swarm, revision);
    }
    for (const agent of delta.agents) {
      const previous = this.agents.get(agent.id) ?? null;
      this.#agentIndex.update(previous, agent);
      const record = this.agents.put(agent.id, agent, revision);
      stampChangedFields(record.fieldRevisions, previous, agent, revision);
    }
    for (const edge of delta.edges) this.#putEdge(edge, revision);
    for (const id of delta.removedTaskIds) {
      this.#taskIndex.update(this.tasks.get(id) ?? null, null);
      this.tasks.remove(id, revision);
    }
    for (const task of delta.tasks) {
      this.#taskIndex.update(this.tasks.get(task.id) ?? null, task);
      this.tasks.put(task.id, task, revision);
    }
    if (delta.serverRemoved) {
      const server = this.servers.get(delta.serverId);
      if (server !== undefined) this.#rememberRemoved(server);
      this.servers.remove(delta.serverId, revision);
      this.#seenAt.delete(delta.serverId);
    }
  }

  #rememberRemoved(server: McpServer): void {
    this.#removedServers.delete(server.id);
    this.#removedServers.set(server.id, server);
    const [oldest] = this.#removedServers.keys();
    if (this.#removedServers.size > MAX_REMOVED_SERVERS && oldest !== undefined) this.#removedServers.delete(oldest);
  }

  #putEdge(edge: TopologyEdge, revision: number): void {
    this.#removeEdge(edge.id, revision);
    this.edges.put(edge.id, edge, revision);
    this.#edgesByServer.move(edge.id, null, edge.serverId);
    this.#edgesBySwarm.move(edge.id, null, edge.swarmId);
    for (const agentId of [edge.from, edge.to]) this.#edgesByAgent.move(edge.id, null, agentId);
  }

  #removeEdge(id: string, revision: number): void {
    const edge = this.edges.get(id);
    if (edge === undefined) return;
    this.edges.remove(id, revision);
    this.#edgesByServer.move(id, edge.serverId, null);
    this.#edgesBySwarm.move(id, edge.swarmId, null);
    for (const agentId of [edge.from, edge.to]) this.#edgesByAgent.move(id, agentId, null);
  }
}

/** Bounds the memory of the servers that were removed last. */
const MAX_REMOVED_SERVERS = 64;
/** Bounds the memory of the metrics while nothing changes. */
const MAX_KEPT_METRICS = 256;

export interface StoreOptions {
  readonly epoch: string;
  /** Maximum number of removals per kind of item that a reader can resume over. */
  readonly maxTombstones: number;
  /** Maximum number of messages, and of all other events. */
  readonly maxEvents: number;
  /** Timeline for readers that resume from other nodes. Null on a single node. */
  readonly timeline?: RevisionTimeline | null;
}

/** Filter key of a swarm. */
export interface SwarmKey {
  readonly id: string;
  readonly serverId: string;
  readonly serverType: McpServerType;
  readonly topologyName: string | null;
}

export interface ServerKey {
  readonly stale: boolean;
  readonly agentServerTypes: readonly McpServerType[];
}

function toSwarmKey({ id, serverId, serverType, topologyName }: Swarm): SwarmKey {
  return { id, serverId, serverType, topologyName };
}

function swarmKeysEqual(a: SwarmKey, b: SwarmKey): boolean {
  return a.serverType === b.serverType && a.topologyName === b.topologyName;
}

function swarmsEqual(a: Swarm, b: Swarm): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function serversEqual(a: McpServer, b: McpServer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function edgesEqual(a: TopologyEdge, b: TopologyEdge): boolean {
  return a.from === b.from && a.to === b.to && a.relation === b.relation && a.inferred === b.inferred;
}

export function tasksEqual(a: Task, b: Task): boolean {
  return (
    a === b ||
    (taskKeysEqual(a, b) &&
      a.title === b.title &&
      a.status === b.status &&
      listsEqual(a.dependsOnIds, b.dependsOnIds) &&
      a.createdAt === b.createdAt &&
      a.startedAt === b.startedAt &&
      a.endedAt === b.endedAt &&
      a.stale === b.stale)
  );
}

function selectChanged<V extends { readonly id: string }, K>(
  map: RevisionedMap<V, K>,
  values: readonly V[],
  isEqual: (a: V, b: V) => boolean,
): V[] {
  return values.filter((value) => {
    const previous = map.get(value.id);
    return previous === undefined || !isEqual(previous, value);
  });
}

function selectMissingIds(
  known: readonly { readonly id: string }[],
  values: readonly { readonly id: string }[],
): string[] {
  const present = new Set(values.map(({ id }) => id));
  return known.flatMap(({ id }) => (present.has(id) ? [] : [id]));
}

function itemsOf<V, K>(map: RevisionedMap<V, K>, ids: Iterable<string>): V[] {
  const items: V[] = [];
  for (const id of ids) {
    const item = map.get(id);
    if (item !== undefined) items.push(item);
  }
  return items;
}
