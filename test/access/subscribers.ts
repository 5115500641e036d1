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

/** All fields of `TaskUpdate` that the comparison uses. */
interface TaskUpdate {
  readonly kind: string;
  readonly cursor: string;
  readonly tasks: readonly { readonly id: string }[];
  readonly removedTaskIds: readonly string[];
}

/** All fields of `TopologyChange` that the comparison uses. */
interface TopologyChange {
  readonly kind: string;
  readonly swarmId: string;
  readonly edges: readonly { readonly id: string; readonly swarmId: string }[];
  readonly removedEdgeIds: readonly string[];
}

type StreamName =
  | 'agentUpdates'
  | 'taskUpdates'
  | 'topologyChanges'
  | 'performanceMetrics'
  | 'healthChanges'
  | 'notices'
  | 'agentMessages';

/** All subscriptions of one viewer and the state that a client derives from them. */
export class AllSubscriptions {
  /** Agents derived from complete agents. */
  agents: ReadonlyMap<string, Agent> = new Map();
  /** Agents derived from patches. */
  patched: ReadonlyMap<string, Agent> = new Map();
  readonly edges = new Map<string, TopologyChange['edges'][number]>();
  readonly tasks = new Map<string, TaskUpdate['tasks'][number]>();
  last: Update | null = null;
  #lastTaskCursor: string | null = null;
  #updates: SubscriptionReader;
  #tasks: SubscriptionReader;
  readonly #messages: SubscriptionReader;
  readonly #topology: SubscriptionReader;
  readonly #metrics: SubscriptionReader;
  readonly #health: SubscriptionReader;
  readonly #notices: SubscriptionReader;
  readonly #all: SubscriptionReader[];
  #updatesTaken = 0;
  #tasksTaken = 0;
  #isResuming = false;
  #areTasksResuming = false;
  #topologyTaken = 0;

  private constructor(readers: Readonly<Record<StreamName, SubscriptionReader>>) {
    this.#updates = readers.agentUpdates;
    this.#tasks = readers.taskUpdates;
    this.#topology = readers.topologyChanges;
    this.#metrics = readers.performanceMetrics;
    this.#health = readers.healthChanges;
    this.#notices = readers.notices;
    this.#messages = readers.agentMessages;
    this.#all = Object.values(readers);
  }

  static async start(setup: AccessSetup, viewer: Viewer): Promise<AllSubscriptions> {
    const listen = (name: string, args = ''): Promise<SubscriptionReader> =>
      setup.listen(`subscription { ${selectAll('Subscription', name, args)} }`, viewer);
    return new AllSubscriptions({
      agentUpdates: await listen('agentUpdates'),
      taskUpdates: await listen('taskUpdates'),
      topologyChanges: await listen('topologyChanges'),
      performanceMetrics: await listen('performanceMetrics', '(mode: NORMAL)'),
      healthChanges: await listen('healthChanges'),
      notices: await listen('notices'),
      agentMessages: await listen('agentMessages'),
    });
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

  get messages(): readonly unknown[] {
    return this.#messages.received;
  }

  /** Returns all received results. */
  received(): readonly unknown[] {
    return this.#all.flatMap(({ received }) => received);
  }

  /** Completes the streams of agents and tasks and resumes them from their cursors. */
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
    if (this.#lastTaskCursor === null) return;
    await this.#tasks.close();
    const tasks = `subscription { ${selectAll('Subscription', 'taskUpdates', `(after: "${this.#lastTaskCursor}")`)} }`;
    this.#tasks = await setup.listen(tasks, viewer);
    this.#tasksTaken = 0;
    this.#areTasksResuming = true;
    this.#all.push(this.#tasks);
  }

  /** Applies the results since the last call, as a client does. */
  applyReceived(): void {
    for (const update of this.#updates.received.slice(this.#updatesTaken)) this.#update(update as unknown as Update); // selected in `start`
    this.#updatesTaken = this.#updates.received.length;
    for (const update of this.#tasks.received.slice(this.#tasksTaken))
      this.#updateTasks(update as unknown as TaskUpdate); // the same
    this.#tasksTaken = this.#tasks.received.length;
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

  #updateTasks({ kind, cursor, tasks, removedTaskIds }: TaskUpdate): void {
    if (kind === 'SNAPSHOT') this.tasks.clear();
    for (const task of tasks) this.tasks.set(task.id, task);
    for (const id of removedTaskIds) {
      if (!this.tasks.delete(id) && !this.#areTasksResuming) throw new Error(`removed without being received: ${id}`);
    }
    this.#areTasksResuming = false;
    this.#lastTaskCursor = cursor;
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
