import type { Viewer } from '../../src/auth/index.js';
import { type Agent, applyAgentUpdate, type AgentUpdateInput } from '@swarmlens/client';
import { selectAll } from './selections.js';
import type { SubscriptionReader, AccessSetup } from './access-setup.js';

/** All fields of `AgentUpdate` that the comparison uses. */
interface Update extends AgentUpdateInput {
  readonly agents: readonly Agent[];
  readonly cursor: string;
  readonly staleServerIds: readonly string[];
  readonly performanceMetrics: unknown;
}

/** All fields of `TopologyChange` that the comparison uses. */
interface TopologyChange {
  readonly kind: string;
  readonly swarmId: string;
  readonly edges: readonly { readonly id: string; readonly swarmId: string }[];
  readonly removedEdgeIds: readonly string[];
}

/** All subscriptions of one viewer and the state that a client derives from them. */
export class AllSubscriptions {
  /** Agents derived from complete agents. */
  agents: ReadonlyMap<string, Agent> = new Map();
  /** Agents derived from patches. */
  patched: ReadonlyMap<string, Agent> = new Map();
  readonly edges = new Map<string, TopologyChange['edges'][number]>();
  last: Update | null = null;
  #updates: SubscriptionReader;
  readonly #topology: SubscriptionReader;
  readonly #metrics: SubscriptionReader;
  readonly #health: SubscriptionReader;
  readonly #notices: SubscriptionReader;
  readonly #all: SubscriptionReader[];
  #updatesTaken = 0;
  #isResuming = false;
  #topologyTaken = 0;

  private constructor([updates, topology, metrics, health, notices]: [
    SubscriptionReader,
    SubscriptionReader,
    SubscriptionReader,
    SubscriptionReader,
    SubscriptionReader,
  ]) {
    this.#updates = updates;
    this.#topology = topology;
    this.#metrics = metrics;
    this.#health = health;
    this.#notices = notices;
    this.#all = [updates, topology, metrics, health, notices];
  }

  static async start(setup: AccessSetup, viewer: Viewer): Promise<AllSubscriptions> {
    const listen = (name: string, args = ''): Promise<SubscriptionReader> =>
      setup.listen(`subscription { ${selectAll('Subscription', name, args)} }`, viewer);
    return new AllSubscriptions([
      await listen('agentUpdates'),
      await listen('topologyChanges'),
      await listen('performanceMetrics', '(mode: NORMAL)'),
      await listen('healthChanges'),
      await listen('notices'),
    ]);
  }

  get metrics(): unknown {
    return this.#metrics.received.at(-1);
  }

  get health(): readonly unknown[] {
    return this.#health.received;
  }

  get notices(): readonly unknown[] {
    return this.#notices.received;
  }

  /** Returns all received results. */
  received(): readonly unknown[] {
    return this.#all.flatMap(({ received }) => received);
  }

  /** Completes the stream of agents and resumes it from its cursor. */
  async resume(setup: AccessSetup, viewer: Viewer): Promise<void> {
    this.applyReceived();
    const { last } = this;
    if (last === null) return;
    await this.#updates.close();
    const text = `subscription { ${selectAll('Subscription', 'agentUpdates', `(after: "${last.cursor}")`)} }`;
    this.#updates = await setup.listen(text, viewer);
    this.#updatesTaken = 0;
    this.#isResuming = true;
    this.#all.push(this.#updates);
  }

  /** Applies the results since the last call, as a client does. */
  applyReceived(): void {
    for (const update of this.#updates.received.slice(this.#updatesTaken)) this.#update(update as unknown as Update); // selected in `start`
    this.#updatesTaken = this.#updates.received.length;
    for (const change of this.#topology.received.slice(this.#topologyTaken))
      this.#change(change as unknown as TopologyChange); // the same
    this.#topologyTaken = this.#topology.received.length;
  }

  async close(): Promise<void> {
    for (const reader of this.#all) await reader.close();
  }

  #update(update: Update): void {
    const { patches, ...withoutPatches } = update;
    for (const id of update.removedAgentIds) {
      // The first update after a resumption also names agents that came and went after the cursor.
      if (!this.agents.has(id) && !this.#isResuming) throw new Error(`removed without being received: ${id}`);
    }
    this.#isResuming = false;
    this.agents = applyAgentUpdate(this.agents, withoutPatches);
    this.patched = applyAgentUpdate(
      this.patched,
      update.kind === 'SNAPSHOT' ? withoutPatches : { ...withoutPatches, patches: patches ?? [] },
    );
    this.last = update;
  }

  #change({ kind, swarmId, edges, removedEdgeIds }: TopologyChange): void {
    for (const edge of this.edges.values())
      if (kind === 'SNAPSHOT' && edge.swarmId === swarmId) this.edges.delete(edge.id);
    for (const edge of edges) this.edges.set(edge.id, edge);
    for (const id of removedEdgeIds) {
      if (!this.edges.delete(id)) throw new Error(`removed without being received: ${id}`);
    }
  }
}
