import type { Agent, McpServer, SwarmlensEvent, Task, TopologyEdge } from '../model/index.js';
import {
  type RevisionedMap,
  hasStateChanges,
  emptyDelta,
  agentsEqual,
  type ServerDelta,
  type ServerSnapshot,
  Store,
  tasksEqual,
} from '../state/index.js';
import type { AccessFilter } from './access-filter.js';
import { visiblePosition } from './visible-position.js';

export interface ScopedStoreOptions {
  readonly epoch: string;
  readonly maxTombstones: number;
  readonly maxEvents: number;
}

/**
 * Store that holds only what one access scope can see and follows the full store. It has its own revisions, tombstones and
 * events, so that nothing read from it reveals hidden items, not even that they changed.
 */
export class ScopedStore implements Disposable {
  readonly store: Store;
  readonly #fullStore: Store;
  readonly #filter: AccessFilter;
  readonly #commitListener: Disposable;

  constructor(fullStore: Store, filter: AccessFilter, options: ScopedStoreOptions) {
    this.store = new Store(options);
    this.#fullStore = fullStore;
    this.#filter = filter;
    for (const { id } of fullStore.servers.values()) this.#commit(emptyDelta(id), this.#diffServer(id, null), null);
    // Latest notices, for viewers of a scope that did not exist when they were published.
    const events = [...fullStore.events.since(0).events, ...fullStore.messages.since(0).events].flatMap((event) =>
      this.#filterEvent(event, this.#visibleServer(event.serverId)),
    );
    if (events.length > 0) this.store.commit({ ...emptyDelta(''), events });
    this.#commitListener = fullStore.onCommit((delta) => this.#apply(delta));
  }

  [Symbol.dispose](): void {
    this.#commitListener[Symbol.dispose]();
  }

  #apply(delta: ServerDelta): void {
    const { serverId } = delta;
    const previous = this.store.servers.get(serverId) ?? null;
    this.#commit(delta, this.#filterFieldChanges(delta, previous) ?? this.#diffServer(serverId, previous), previous);
  }

  /**
   * Commits the visible part of a delta.
   * @param visible visible state changes of the delta
   * @param previous server before the delta, or null if it was hidden
   */
  #commit({ serverId, seenAt, events }: ServerDelta, visible: ServerDelta, previous: McpServer | null): void {
    const isVisible = !visible.serverRemoved && (previous !== null || visible.server !== null);
    const server = isVisible ? (this.#fullStore.servers.get(serverId) ?? null) : previous;
    const delta: ServerDelta = {
      ...visible,
      // A server that becomes visible may have answered before.
      seenAt: !isVisible ? null : previous === null ? this.#fullStore.serverLastSeenAt(serverId) : seenAt,
      events: events.flatMap((event) =>
        this.#filterEvent(event, event.serverId === serverId ? server : this.#visibleServer(event.serverId)),
      ),
    };
    if (delta.seenAt !== null || delta.events.length > 0 || hasStateChanges(delta)) this.store.commit(delta);
  }

  #filterEvent(event: SwarmlensEvent, server: McpServer | null): readonly SwarmlensEvent[] {
    if (event.type !== 'message') return this.#filter.filterEvent(event, server);
    if (server === null || !this.#filter.allowsServerType(event.serverType)) return [];
    if (event.swarmId !== null && this.#visibleSwarmId(event.swarmId) === null) return [];
    if (this.#filter.allowsAllAgentsOf(server)) return [event];
    const { fromAgentId } = event;
    const toAgentIds = event.toAgentIds.filter((id) => this.#isAgentVisible(id, server));
    const isSenderVisible = fromAgentId !== null && this.#isAgentVisible(fromAgentId, server);
    const isHidden =
      (fromAgentId !== null && !isSenderVisible) ||
      (toAgentIds.length === 0 && (!isSenderVisible || event.toAgentIds.length > 0));
    return isHidden ? [] : [{ ...event, toAgentIds }];
  }

  /** Returns whether an agent is visible. An agent without a report is visible if all agents of its server are. */
  #isAgentVisible(id: string, server: McpServer): boolean {
    const agent = this.#fullStore.agents.get(id);
    return agent === undefined ? this.#filter.allowsAllAgentsOf(server) : this.#filter.allowsAgent(agent);
  }

  #visibleServer(id: string | null): McpServer | null {
    return id !== null && this.store.servers.get(id) !== undefined ? (this.#fullStore.servers.get(id) ?? null) : null;
  }

  /** Compares the visible snapshot of a server with the scoped store. */
  #diffServer(serverId: string, previous: McpServer | null): ServerDelta {
    const snapshot = this.#visibleSnapshot(serverId);
    if (snapshot !== null) return this.store.diff(snapshot, null);
    return previous === null ? emptyDelta(serverId) : this.store.removalDelta(serverId);
  }

  /**
   * Filters a delta that only changes fields of agents and tasks, the frequent case, and hides or shows none of them. Returns
   * null for any other delta.
   */
  #filterFieldChanges(delta: ServerDelta, previous: McpServer | null): ServerDelta | null {
    if (delta.server !== null || delta.serverRemoved || delta.removedAgentIds.length > 0) return null;
    if (delta.swarms.length > 0 || delta.removedSwarmIds.length > 0) return null;
    if (delta.edges.length > 0 || delta.removedEdgeIds.length > 0 || delta.removedTaskIds.length > 0) return null;
    const agents: Agent[] = [];
    for (const agent of delta.agents) {
      const existing = this.store.agents.get(agent.id);
      if ((existing !== undefined) !== (previous !== null && this.#filter.allowsAgent(agent))) return null;
      if (existing === undefined) {
        if (this.#hasNewKey(this.#fullStore.agents, agent.id)) return null;
        continue;
      }
      const visible = this.#toVisibleAgent(agent, this.#edgesIn(this.store, agent.id));
      if (!agentsEqual(existing, visible)) agents.push(visible);
    }
    const tasks: Task[] = [];
    for (const task of delta.tasks) {
      const existing = this.store.tasks.get(task.id);
      if ((existing !== undefined) !== (previous !== null && this.#isTaskVisible(task))) return null;
      if (existing === undefined) {
        if (this.#hasNewKey(this.#fullStore.tasks, task.id)) return null;
        continue;
      }
      const visible = this.#toVisibleTask(task);
      if (!tasksEqual(existing, visible)) tasks.push(visible);
    }
    return { ...emptyDelta(delta.serverId), agents, tasks };
  }

  /**
   * Returns whether the last commit added an item or changed its filter key. References to a hidden item are then hidden,
   * too, also those of items that did not change.
   */
  #hasNewKey<V, K>(items: RevisionedMap<V, K>, id: string): boolean {
    return items.record(id)?.keyRevision === this.#fullStore.revision;
  }

  /** Returns the visible part of a server, or null if the server is hidden. */
  #visibleSnapshot(serverId: string): ServerSnapshot | null {
    const fullStore = this.#fullStore;
    const server = fullStore.servers.get(serverId);
    if (server === undefined || !this.#filter.allowsServer(server)) return null;
    const agents = new Map<string, Agent>();
    for (const agent of fullStore.agentsOfServer(serverId)) {
      if (this.#filter.allowsAgent(agent)) agents.set(agent.id, agent);
    }
    const edges = new Map<string, TopologyEdge>();
    const visibleEdges = (agentId: string): readonly TopologyEdge[] =>
      this.#edgesIn(fullStore, agentId).filter(
        (edge) => agents.has(edge.from) && agents.has(edge.to) && this.#visibleSwarmId(edge.swarmId) !== null,
      );
    const visibleAgents = [...agents.values()].map((agent) => {
      const agentEdges = visibleEdges(agent.id);
      for (const edge of agentEdges) edges.set(edge.id, edge);
      return this.#toVisibleAgent(agent, agentEdges);
    });
    const swarms = fullStore.swarmsOfServer(serverId).filter((swarm) => this.#filter.allowsSwarm(swarm));
    return {
      server: this.#filter.filterServer(server),
      agents: visibleAgents,
      swarms: swarms.map((swarm) => this.#filter.filterSwarm(swarm)),
      edges: [...edges.values()],
      tasks: fullStore
        .tasksOfServer(serverId)
        .filter((task) => this.#isTaskVisible(task))
        .map((task) => this.#toVisibleTask(task)),
    };
  }

  #toVisibleAgent(agent: Agent, edges: readonly TopologyEdge[]): Agent {
    const seesAllEdges = edges.length === this.#fullStore.edgesOfAgent(agent.id).size;
    const topology = seesAllEdges ? agent.topology : visiblePosition(agent, edges);
    return this.#filter.filterAgent(agent, {
      swarmId: this.#visibleSwarmId(agent.swarmId),
      parentId: this.#visibleAgentId(agent.parentId, agent.serverId),
      currentTaskId: this.#visibleCurrentTaskId(agent.currentTaskId),
      topology,
    });
  }

  /** Returns whether a task is visible: its swarm is, or one of its agents if it has no swarm or agent types are restricted. */
  #isTaskVisible(task: Task): boolean {
    return this.#filter.allowsTask(task, () =>
      task.agentIds.some((id) => this.#visibleAgentId(id, task.serverId) !== null),
    );
  }

  #toVisibleTask(task: Task): Task {
    const { serverId } = task;
    return this.#filter.filterTask(task, {
      swarmId: this.#visibleSwarmId(task.swarmId),
      agentIds: task.agentIds.filter((id) => this.#visibleAgentId(id, serverId) !== null),
      dependsOnIds: task.dependsOnIds.filter((id) => this.#isDependencyVisible(id, serverId)),
    });
  }

  /** Returns whether a task is visible. A task without a report is visible if all agents of its server are. */
  #isDependencyVisible(id: string, serverId: string): boolean {
    const task = this.#fullStore.tasks.get(id);
    if (task !== undefined) return this.#isTaskVisible(task);
    const server = this.#fullStore.servers.get(serverId);
    return server !== undefined && this.#filter.allowsAllAgentsOf(server);
  }

  /** Returns the id unless the task is hidden. A task without a report belongs to the agent that works on it. */
  #visibleCurrentTaskId(id: string | null): string | null {
    const task = id === null ? undefined : this.#fullStore.tasks.get(id);
    return task === undefined || this.#isTaskVisible(task) ? id : null;
  }

  /** Returns the id if the swarm is visible, otherwise null. A swarm without a report is judged by its id only. */
  #visibleSwarmId(id: string | null): string | null {
    if (id === null || !this.#filter.allowsSwarmId(id)) return null;
    const swarm = this.#fullStore.swarms.get(id);
    return swarm === undefined || this.#filter.allowsSwarm(swarm) ? id : null;
  }

  /** Returns the id if the agent of the server is visible, otherwise null. */
  #visibleAgentId(id: string | null, serverId: string): string | null {
    const server = this.#fullStore.servers.get(serverId);
    return id !== null && server !== undefined && this.#isAgentVisible(id, server) ? id : null;
  }

  #edgesIn(store: Store, agentId: string): readonly TopologyEdge[] {
    return [...store.edgesOfAgent(agentId)].flatMap((id) => store.edges.get(id) ?? []);
  }
}
