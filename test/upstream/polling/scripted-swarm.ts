import { MemoryBus } from '../../../src/cluster/index.js';
import { type UpstreamOptions, UpstreamRegistry } from '../../../src/upstream/index.js';
import { createView, Demand, Store } from '../../../src/state/index.js';
import type { UpstreamRegistryDeps } from '../../../src/upstream/upstream-registry.js';
import type { HealthChange, Notice } from '../../../src/model/index.js';
import { systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { connectTo, scripted, type ScriptedServer } from '../pool/scripted.js';
import { serverConfig } from '../../support/app.js';
import { Reader } from '../../support/contract-client.js';

/** Makes the server a DAA server that lists agents of these ids. */
export function listing(server: ScriptedServer, ids: () => readonly string[]): void {
  server.name = 'daa-mcp';
  server.tools = ['list_agents'];
  server.onCall = () => {
    const agents = ids().map((id) => ({ id, name: id, agent_type: 'coder', status: 'running', capabilities: [] }));
    return Promise.resolve({ isError: false, value: { agents, total_count: agents.length } });
  };
}

/** Registry of scripted servers with a real store and a reader that follows it from the start. */
export class ScriptedSwarm implements AsyncDisposable {
  readonly servers: readonly ScriptedServer[];
  readonly store = new Store({ epoch: 'test', maxTombstones: 1_000, maxEvents: 10_000 });
  readonly demand = new Demand();
  readonly reader = new Reader();
  readonly registry: UpstreamRegistry;
  readonly #bus = new MemoryBus();
  readonly #commits: Disposable;
  /** Ids of agents that each commit removed. */
  readonly removals: (readonly string[])[] = [];

  /** @param agents native ids of the agents of each replica */
  constructor(
    agents: readonly (() => readonly string[])[],
    settings: Partial<UpstreamOptions> = {},
    deps: Partial<UpstreamRegistryDeps> = {},
  ) {
    this.servers = scripted(agents.length);
    this.servers.forEach((server, index) => listing(server, agents[index] ?? (() => [])));
    const [endpoint, ...replicas] = this.servers.map((server) => server.endpoint);
    if (endpoint === undefined) throw new Error('no server');
    this.#commits = this.#bus.subscribe((change) => {
      this.store.commit(change);
      const { removedAgentIds } = this.reader.read(this.store, ALL);
      if (removedAgentIds.length > 0) this.removals.push(removedAgentIds);
    });
    this.registry = new UpstreamRegistry(
      [{ ...serverConfig('s', []), endpoint, replicas, timeoutMs: 1_000, ...settings }],
      {
        store: this.store,
        bus: this.#bus,
        demand: this.demand,
        clock: systemClock,
        logger: silentLogger,
        random: () => 0.5,
        heartbeatMs: 1_000,
        removeAfterMs: null,
        maxAgentsPerServer: 10_000,
        connect: connectTo(this.servers),
        ...deps,
      },
    );
  }

  /** Native ids of the agents that the reader sees, and whether any is stale. */
  get seen(): { readonly ids: readonly string[]; readonly stale: boolean } {
    const agents = [...this.store.agentsMatching(ALL)];
    return {
      ids: [...this.reader.agents.keys()].map((id) => id.slice(2)).sort(),
      stale: agents.some(({ stale }) => stale),
    };
  }

  get changes(): HealthChange[] {
    return this.store.events.since(0).events.filter((event) => event.type === 'health');
  }

  get notices(): Notice[] {
    return this.store.events.since(0).events.filter((event) => event.type === 'notice');
  }

  codes(): string[] {
    return this.notices.map(({ code }) => code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    this.#commits[Symbol.dispose]();
  }
}

const ALL = createView();
