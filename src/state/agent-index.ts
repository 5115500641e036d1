import type { Agent, AgentStatus, McpServerType } from '../model/index.js';
import { IdIndex, mostSelective } from './id-index.js';
import type { View } from './view.js';

/** Numbers of agents of one server. */
export interface AgentCounts {
  readonly byStatus: ReadonlyMap<AgentStatus, number>;
  readonly stale: number;
}

/** Indexes of the agents of a store. The cost of a lookup does not depend on the number of other agents. */
export class AgentIndex {
  readonly #byServer = new IdIndex<string>();
  readonly #byServerType = new IdIndex<McpServerType>();
  readonly #byType = new IdIndex<string>();
  readonly #bySwarm = new IdIndex<string>();
  readonly #byParent = new IdIndex<string>();
  readonly #counts = new Map<string, MutableCounts>();

  /** Records that an agent was added, changed or removed. Null: the agent did, or does, not exist. */
  update(previous: Agent | null, next: Agent | null): void {
    const id = (next ?? previous)?.id;
    if (id === undefined) return;
    this.#byServer.move(id, previous?.serverId ?? null, next?.serverId ?? null);
    this.#byServerType.move(id, previous?.serverType ?? null, next?.serverType ?? null);
    this.#byType.move(id, previous?.type ?? null, next?.type ?? null);
    this.#bySwarm.move(id, previous?.swarmId ?? null, next?.swarmId ?? null);
    this.#byParent.move(id, previous?.parentId ?? null, next?.parentId ?? null);
    if (previous?.status === next?.status && previous?.stale === next?.stale && previous?.serverId === next?.serverId)
      return;
    if (previous !== null) this.#count(previous, -1);
    if (next !== null) this.#count(next, 1);
  }

  ofServer(serverId: string): ReadonlySet<string> {
    return this.#byServer.ids(serverId);
  }

  ofSwarm(swarmId: string): ReadonlySet<string> {
    return this.#bySwarm.ids(swarmId);
  }

  /** Returns the ids of the agents that an agent has started. */
  childrenOf(agentId: string): ReadonlySet<string> {
    return this.#byParent.ids(agentId);
  }

  countsOf(serverId: string): AgentCounts {
    return this.#counts.get(serverId) ?? NO_AGENTS;
  }

  /** Yields each agent type with its number of agents. */
  typeCounts(): Iterable<readonly [type: string, count: number]> {
    return this.#byType.counts();
  }

  /**
   * Returns the ids of all agents that match the most selective filter of a view, and perhaps not its other filters.
   * Returns null if the view has no filter.
   */
  candidates({ serverIds, serverTypes, agentTypes, swarmIds }: View): readonly ReadonlySet<string>[] | null {
    return mostSelective([
      this.#byServer.candidates(serverIds),
      this.#byServerType.candidates(serverTypes),
      this.#byType.candidates(agentTypes),
      this.#bySwarm.candidates(swarmIds),
    ]);
  }

  #count({ serverId, status, stale }: Agent, change: 1 | -1): void {
    let counts = this.#counts.get(serverId);
    if (counts === undefined) this.#counts.set(serverId, (counts = { byStatus: new Map(), stale: 0 }));
    counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + change);
    if (stale) counts.stale += change;
    if (this.#byServer.count(serverId) === 0) this.#counts.delete(serverId);
  }
}

interface MutableCounts {
  readonly byStatus: Map<AgentStatus, number>;
  stale: number;
}

const NO_AGENTS: AgentCounts = { byStatus: new Map(), stale: 0 };
