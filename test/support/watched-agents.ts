import { z } from 'zod';
import { SocketClient } from './app.js';
import { ChangeNotifier } from './wait.js';

export const WATCHED_AGENT = `nativeId parentId swarmId serverId name type status model workspace
  activity { kind label waitingFor inferred } usage { totalTokens complete } context { usedTokens }`;

export const watchedAgentSchema = z.object({
  nativeId: z.string(),
  parentId: z.string().nullable(),
  swarmId: z.string().nullable(),
  serverId: z.string(),
  name: z.string(),
  type: z.string(),
  status: z.string(),
  model: z.string().nullable(),
  workspace: z.string().nullable(),
  activity: z
    .object({
      kind: z.string(),
      label: z.string().nullable(),
      waitingFor: z.string().nullable(),
      inferred: z.boolean(),
    })
    .nullable(),
  usage: z.object({ totalTokens: z.number().nullable(), complete: z.boolean() }).nullable(),
  context: z.object({ usedTokens: z.number().nullable() }).nullable(),
});
export type WatchedAgent = z.infer<typeof watchedAgentSchema>;

const updateSchema = z.object({
  agentUpdates: z.object({
    kind: z.enum(['SNAPSHOT', 'DELTA']),
    agents: z.array(watchedAgentSchema),
    removedAgentIds: z.array(z.string()),
  }),
});

/** Agents as one subscriber of `agentUpdates` knows them, with what they do. */
export class WatchedAgents implements AsyncDisposable {
  /** Agents by their global ids. */
  readonly agents = new Map<string, WatchedAgent & { readonly id: string }>();
  updates = 0;
  readonly #client: SocketClient;
  readonly #changes = new ChangeNotifier();
  #error: unknown = null;

  constructor(app: { readonly url: string }) {
    this.#client = new SocketClient(app);
    this.#client.client.subscribe(
      { query: `subscription { agentUpdates { kind removedAgentIds agents { ${WATCHED_AGENT} } } }` },
      {
        next: ({ data }) => this.#apply(data),
        error: (error) => {
          this.#error = error;
          this.#changes.notify();
        },
        complete: () => undefined,
      },
    );
  }

  /** Resolves when `find` returns a value, with that value. */
  async until<T>(find: (agents: readonly WatchedAgent[]) => T | null | undefined | false): Promise<T> {
    let found: T | null | undefined | false = null;
    await this.#changes.until(
      () => {
        found = find([...this.agents.values()]);
        return found !== null && found !== undefined && found !== false;
      },
      {
        state: () => [...this.agents.values()],
        failure: () => (this.#error === null ? null : `subscription ended: ${JSON.stringify(this.#error)}`),
      },
    );
    return found as T; // the condition of the wait
  }

  #apply(data: unknown): void {
    const { kind, agents, removedAgentIds } = updateSchema.parse(data).agentUpdates;
    this.updates += 1;
    if (kind === 'SNAPSHOT') this.agents.clear();
    for (const id of removedAgentIds) this.agents.delete(id);
    for (const agent of agents) {
      const id = `${agent.serverId}:${agent.nativeId}`;
      this.agents.set(id, { ...agent, id });
    }
    this.#changes.notify();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
