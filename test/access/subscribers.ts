import type { Viewer } from '../../src/auth/index.js';
import { type Agent, applyAgentUpdate, type AgentUpdateInput } from '@swarmlens/client';
import { asked } from './selections.js';
import type { Listener, Stage } from './access-setup.js';

/** All of an `AgentUpdate`. */
interface Update extends AgentUpdateInput {
  readonly agents: readonly Agent[];
  readonly cursor: string;
  readonly staleServerIds: readonly string[];
  readonly performanceMetrics: unknown;
}

/** All of a `TopologyChange`. */
interface TopologyTold {
  readonly kind: string;
  readonly swarmId: string;
  readonly edges: readonly { readonly id: string; readonly swarmId: string }[];
  readonly removedEdgeIds: readonly string[];
}

/** Everything that can be subscribed to, and what a client makes of it. */
export class Listeners {
  /** Made of whole agents, and of patches. */
  agents: ReadonlyMap<string, Agent> = new Map();
  patched: ReadonlyMap<string, Agent> = new Map();
  readonly edges = new Map<string, TopologyTold['edges'][number]>();
  last: Update | null = null;
  #updates: Listener;
  readonly #topology: Listener;
  readonly #metrics: Listener;
  readonly #health: Listener;
  readonly #notices: Listener;
  readonly #all: Listener[];
  #updatesTaken = 0;
  #topologyTaken = 0;

  private constructor([updates, topology, metrics, health, notices]: [
    Listener,
    Listener,
    Listener,
    Listener,
    Listener,
  ]) {
    this.#updates = updates;
    this.#topology = topology;
    this.#metrics = metrics;
    this.#health = health;
    this.#notices = notices;
    this.#all = [updates, topology, metrics, health, notices];
  }

  static async start(stage: Stage, viewer: Viewer): Promise<Listeners> {
    const listen = (name: string, args = ''): Promise<Listener> =>
      stage.listen(`subscription { ${asked('Subscription', name, args)} }`, viewer);
    return new Listeners([
      await listen('agentUpdates'),
      await listen('topologyChanges'),
      await listen('performanceMetrics', '(mode: NORMAL)'),
      await listen('healthChanges'),
      await listen('notices'),
    ]);
  }

  get metrics(): unknown {
    return this.#metrics.told.at(-1);
  }

  get health(): readonly unknown[] {
    return this.#health.told;
  }

  get notices(): readonly unknown[] {
    return this.#notices.told;
  }

  /** Everything that was ever told. */
  told(): readonly unknown[] {
    return this.#all.flatMap(({ told }) => told);
  }

  /** Leaves the stream of agents and comes back to where it stood. */
  async resume(stage: Stage, viewer: Viewer): Promise<void> {
    this.take();
    const { last } = this;
    if (last === null) return;
    await this.#updates.leave();
    const text = `subscription { ${asked('Subscription', 'agentUpdates', `(after: "${last.cursor}")`)} }`;
    this.#updates = await stage.listen(text, viewer);
    this.#updatesTaken = 0;
    this.#all.push(this.#updates);
  }

  /** Applies what has been told since, as a client does. */
  take(): void {
    for (const told of this.#updates.told.slice(this.#updatesTaken)) this.#update(told as unknown as Update); // see `start`
    this.#updatesTaken = this.#updates.told.length;
    for (const told of this.#topology.told.slice(this.#topologyTaken)) this.#change(told as unknown as TopologyTold); // the same
    this.#topologyTaken = this.#topology.told.length;
  }

  async leave(): Promise<void> {
    for (const listener of this.#all) await listener.leave();
  }

  #update(update: Update): void {
    const { patches, ...whole } = update;
    for (const id of update.removedAgentIds) {
      if (!this.agents.has(id)) throw new Error(`removed, and was never told: ${id}`);
    }
    this.agents = applyAgentUpdate(this.agents, whole);
    this.patched = applyAgentUpdate(
      this.patched,
      update.kind === 'SNAPSHOT' ? whole : { ...whole, patches: patches ?? [] },
    );
    this.last = update;
  }

  #change({ kind, swarmId, edges, removedEdgeIds }: TopologyTold): void {
    for (const edge of this.edges.values())
      if (kind === 'SNAPSHOT' && edge.swarmId === swarmId) this.edges.delete(edge.id);
    for (const edge of edges) this.edges.set(edge.id, edge);
    for (const id of removedEdgeIds) {
      if (!this.edges.delete(id)) throw new Error(`removed, and was never told: ${id}`);
    }
  }
}
