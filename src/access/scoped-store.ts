import type { Agent, McpServer, TopologyEdge } from '../model/index.js';
import {
  hasStateChanges,
  emptyDelta,
  agentsEqual,
  type ServerDelta,
  type ServerSnapshot,
  Store,
} from '../state/index.js';
import type { AccessFilter } from './access-filter.js';
import { visiblePosition } from './visible-position.js';

export interface ScopedStoreOptions {
  readonly epoch: string;
  readonly maxTombstones: number;
  readonly maxEvents: number;
}

/**
 * What somebody sees of the whole picture, as a picture of its own that follows the whole. It has revisions,
 * tombstones and events of its own, so that whatever is read of it tells nothing of what is not in it: not even that
 * something happened there.
 */
export class ScopedStore implements Disposable {
  readonly store: Store;
  readonly #whole: Store;
  readonly #filter: AccessFilter;
  readonly #following: Disposable;

  constructor(whole: Store, extent: AccessFilter, options: ScopedStoreOptions) {
    this.store = new Store(options);
    this.#whole = whole;
    this.#filter = extent;
    for (const { id } of whole.servers.values()) this.#commit(emptyDelta(id), this.#serverOf(id, null), null);
    this.#following = whole.onCommit((change) => this.#follow(change));
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
  }

  #follow(change: ServerDelta): void {
    const { serverId } = change;
    const before = this.store.servers.get(serverId) ?? null;
    this.#commit(change, this.#detailsOf(change, before) ?? this.#serverOf(serverId, before), before);
  }

  /**
   * @param seen what of the change is seen
   * @param before the server as it was seen; `null`: it was not
   */
  #commit({ serverId, seenAt, events }: ServerDelta, seen: ServerDelta, before: McpServer | null): void {
    const isSeen = !seen.serverRemoved && (before !== null || seen.server !== null);
    const server = isSeen ? (this.#whole.servers.get(serverId) ?? null) : before;
    const made: ServerDelta = {
      ...seen,
      // One that came into sight only now has answered before.
      seenAt: !isSeen ? null : before === null ? this.#whole.serverLastSeenAt(serverId) : seenAt,
      events: events.flatMap((event) =>
        this.#filter.filterEvent(event, event.serverId === serverId ? server : this.#serverSeen(event.serverId)),
      ),
    };
    if (made.seenAt !== null || made.events.length > 0 || hasStateChanges(made)) this.store.commit(made);
  }

  #serverSeen(id: string | null): McpServer | null {
    return id !== null && this.store.servers.get(id) !== undefined ? (this.#whole.servers.get(id) ?? null) : null;
  }

  /** Everything of a server, compared with what has been seen of it. */
  #serverOf(serverId: string, before: McpServer | null): ServerDelta {
    const picture = this.#pictureOf(serverId);
    if (picture !== null) return this.store.diff(picture, null);
    return before === null ? emptyDelta(serverId) : this.store.removalDelta(serverId);
  }

  /** The short way: agents did something, and nothing else moved; `null`: it has to be the long one. */
  #detailsOf(change: ServerDelta, before: McpServer | null): ServerDelta | null {
    if (change.server !== null || change.serverRemoved || change.removedAgentIds.length > 0) return null;
    if (change.swarms.length > 0 || change.removedSwarmIds.length > 0) return null;
    if (change.edges.length > 0 || change.removedEdgeIds.length > 0) return null;
    const agents: Agent[] = [];
    for (const agent of change.agents) {
      const seen = this.store.agents.get(agent.id);
      if ((seen !== undefined) !== (before !== null && this.#filter.allowsAgent(agent))) return null;
      if (seen === undefined) continue;
      const now = this.#agentSeen(agent, this.#edgesIn(this.store, agent.id));
      if (!agentsEqual(seen, now)) agents.push(now);
    }
    return { ...emptyDelta(change.serverId), agents };
  }

  /** `null`: the server is not seen. */
  #pictureOf(serverId: string): ServerSnapshot | null {
    const whole = this.#whole;
    const server = whole.servers.get(serverId);
    if (server === undefined || !this.#filter.allowsServer(server)) return null;
    const agents = new Map<string, Agent>();
    for (const agent of whole.agents.values()) {
      if (agent.serverId === serverId && this.#filter.allowsAgent(agent)) agents.set(agent.id, agent);
    }
    const edges = new Map<string, TopologyEdge>();
    const edgesOf = (agentId: string): readonly TopologyEdge[] => {
      const found = this.#edgesIn(whole, agentId).filter((edge) => agents.has(edge.from) && agents.has(edge.to));
      return found.filter((edge) => this.#swarmIdSeen(edge.swarmId) !== null);
    };
    const seen = [...agents.values()].map((agent) => {
      const own = edgesOf(agent.id);
      for (const edge of own) edges.set(edge.id, edge);
      return this.#agentSeen(agent, own);
    });
    const swarms = [...whole.swarms.values()].filter(
      (swarm) => swarm.serverId === serverId && this.#filter.allowsSwarm(swarm),
    );
    return {
      server: this.#filter.filterServer(server),
      agents: seen,
      swarms: swarms.map((swarm) => this.#filter.filterSwarm(swarm)),
      edges: [...edges.values()],
    };
  }

  #agentSeen(agent: Agent, edges: readonly TopologyEdge[]): Agent {
    const isWhole = edges.length === this.#whole.edgesOfAgent(agent.id).size;
    const topology = isWhole ? agent.topology : visiblePosition(agent, edges);
    return this.#filter.filterAgent(agent, this.#swarmIdSeen(agent.swarmId), topology);
  }

  /** A swarm that was never reported is known by its id only. */
  #swarmIdSeen(id: string | null): string | null {
    if (id === null || !this.#filter.allowsSwarmId(id)) return null;
    const swarm = this.#whole.swarms.get(id);
    return swarm === undefined || this.#filter.allowsSwarm(swarm) ? id : null;
  }

  #edgesIn(store: Store, agentId: string): readonly TopologyEdge[] {
    return [...store.edgesOfAgent(agentId)].flatMap((id) => store.edges.get(id) ?? []);
  }
}
