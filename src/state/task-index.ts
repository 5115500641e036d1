import type { McpServerType, Task } from '../model/index.js';
import { IdIndex, mostSelective } from './id-index.js';
import type { View } from './view.js';

/** Indexes of the tasks of a store. The cost of a lookup does not depend on the number of other tasks. */
export class TaskIndex {
  readonly #byServer = new IdIndex<string>();
  readonly #byServerType = new IdIndex<McpServerType>();
  readonly #bySwarm = new IdIndex<string>();
  readonly #byAgent = new IdIndex<string>();

  /** Records that a task was added, changed or removed. Null: the task did, or does, not exist. */
  update(previous: Task | null, next: Task | null): void {
    const id = (next ?? previous)?.id;
    if (id === undefined) return;
    this.#byServer.move(id, previous?.serverId ?? null, next?.serverId ?? null);
    this.#byServerType.move(id, previous?.serverType ?? null, next?.serverType ?? null);
    this.#bySwarm.move(id, previous?.swarmId ?? null, next?.swarmId ?? null);
    const before = previous?.agentIds ?? [];
    const after = next?.agentIds ?? [];
    for (const agentId of before) if (!after.includes(agentId)) this.#byAgent.move(id, agentId, null);
    for (const agentId of after) if (!before.includes(agentId)) this.#byAgent.move(id, null, agentId);
  }

  ofServer(serverId: string): ReadonlySet<string> {
    return this.#byServer.ids(serverId);
  }

  ofAgent(agentId: string): ReadonlySet<string> {
    return this.#byAgent.ids(agentId);
  }

  /**
   * Returns the ids of all tasks that match the most selective filter of a view, and perhaps not its other filters. A task
   * occurs once for each matching agent. Returns null if the view has no filter.
   */
  candidates({ serverIds, serverTypes, swarmIds, agentIds }: View): readonly ReadonlySet<string>[] | null {
    return mostSelective([
      this.#byServer.candidates(serverIds),
      this.#byServerType.candidates(serverTypes),
      this.#bySwarm.candidates(swarmIds),
      this.#byAgent.candidates(agentIds),
    ]);
  }
}
