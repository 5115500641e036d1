import { IdGenerator } from './ids.js';
import {
  CAPABILITIES,
  type AgentGroup,
  type AgentSpec,
  type AgentState,
  type SimAgent,
  type SimHive,
  type SimSwarm,
  type SimTask,
  type TaskSpec,
  type SimulatorType,
  type TaskState,
} from './entities.js';
import { SeededRandom } from './random.js';

/** How long one that has ended can still be asked for. */
const ENDED_KEPT_STEPS = 30;
/** Finished tasks remembered, beside one for each agent. */
const MIN_FINISHED_TASKS = 30;

export interface WorldOptions {
  readonly type: SimulatorType;
  readonly seed: number;
  /** How many agents live; their number hovers around it. */
  readonly agents: number;
  /** Milliseconds since the epoch at step 0. */
  readonly startMs: number;
  /** Simulated time that one step takes. */
  readonly stepMs: number;
}

/** What there is at one step. Nothing in here looks at a clock, or at chance other than the seed's. */
export class World {
  readonly options: WorldOptions;
  readonly random: SeededRandom;
  readonly ids: IdGenerator;
  readonly swarms: SimSwarm[] = [];
  hive: SimHive | null = null;
  /** With those that have ended lately; in order of birth. */
  readonly #agents = new Map<string, SimAgent>();
  readonly #tasks = new Map<string, SimTask>();
  #steps = 0;
  #born = 0;
  #daaBorn = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    this.ids = new IdGenerator(options.seed);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Simulated milliseconds since step 0. */
  get elapsedMs(): number {
    return this.#steps * this.options.stepMs;
  }

  /** RFC 3339, UTC. */
  timestampAt(elapsedMs: number): string {
    return new Date(Math.floor(this.options.startMs + elapsedMs)).toISOString();
  }

  /** The simulated time, RFC 3339, UTC. */
  get now(): string {
    return this.timestampAt(this.elapsedMs);
  }

  /** Moves the simulated time on; what happens in the step is for the caller to say. */
  nextStep(): void {
    this.#steps += 1;
    this.ids.moveTo(this.#steps);
    this.#forget();
  }

  agent(id: string | null): SimAgent | undefined {
    return id === null ? undefined : this.#agents.get(id);
  }

  task(id: string | null): SimTask | undefined {
    return id === null ? undefined : this.#tasks.get(id);
  }

  /** With those that have ended lately. */
  agents(group?: AgentGroup): SimAgent[] {
    return [...this.#agents.values()].filter((agent) => group === undefined || agent.group === group);
  }

  livingAgents(group?: AgentGroup): SimAgent[] {
    return this.agents(group).filter(({ state }) => state !== 'ended');
  }

  tasks(state?: TaskState): SimTask[] {
    return [...this.#tasks.values()].filter((task) => state === undefined || task.state === state);
  }

  /** The id must not be taken. */
  spawn(spec: AgentSpec): SimAgent {
    const agent: SimAgent = {
      id: spec.id ?? this.#agentId(spec.group),
      name: spec.name ?? `${spec.type}-${this.#born}`,
      number: this.#born,
      type: spec.type,
      group: spec.group,
      swarmId: spec.swarmId ?? (spec.group === 'plain' ? this.#homeSwarm() : null),
      domain: spec.domain ?? null,
      capabilities: spec.capabilities ?? CAPABILITIES[spec.type] ?? [],
      learningRate: spec.learningRate ?? 0.01,
      createdAtMs: this.elapsedMs,
      isPinned: spec.isPinned ?? false,
      pattern: spec.pattern ?? 'adaptive',
      state: spec.state ?? 'idle',
      statusOverride: null,
      isPausedByClient: false,
      health: 1,
      touchedAtMs: this.elapsedMs,
      endedAtStep: null,
      taskId: null,
      tasksCompleted: 0,
      tasksFailed: 0,
      adaptations: 0,
    };
    this.#born += 1;
    this.#agents.set(agent.id, agent);
    return agent;
  }

  setState(agent: SimAgent, state: AgentState): void {
    agent.state = state;
    agent.statusOverride = null;
    agent.touchedAtMs = this.elapsedMs;
  }

  /** Ends an agent; what only it was working on fails. */
  end(agent: SimAgent): void {
    if (agent.state === 'ended') return;
    this.setState(agent, 'ended');
    agent.endedAtStep = this.#steps;
    agent.taskId = null;
    for (const task of this.#tasks.values()) {
      if (task.endedAtMs !== null || !task.assignedTo.includes(agent.id)) continue;
      if (task.assignedTo.every((id) => (this.agent(id)?.state ?? 'ended') === 'ended')) this.finish(task, 'failed');
    }
  }

  createTask(spec: TaskSpec): SimTask {
    const task: SimTask = {
      id: this.#taskId(),
      type: spec.type,
      description: spec.description,
      priority: spec.priority ?? 'normal',
      strategy: spec.strategy ?? 'adaptive',
      tags: spec.tags ?? [],
      swarmId: spec.swarmId ?? null,
      createdAtMs: this.elapsedMs,
      isPinned: spec.isPinned ?? false,
      state: 'pending',
      progress: 0,
      assignedTo: spec.assignedTo ?? [],
      startedAtMs: null,
      endedAtMs: null,
      result: null,
    };
    this.#tasks.set(task.id, task);
    return task;
  }

  /** Hands a task to agents, who leave what they were at. */
  assign(task: SimTask, agents: readonly SimAgent[]): void {
    this.#release(task);
    task.assignedTo = agents.map(({ id }) => id);
    if (agents.length === 0) task.state = 'pending';
    else this.begin(task, agents);
  }

  /** Sets a task going with those of its agents who live; with none of them, someone has yet to see to it. */
  begin(task: SimTask, agents: readonly SimAgent[]): void {
    task.state = 'in_progress';
    task.startedAtMs ??= this.elapsedMs;
    task.endedAtMs = null;
    for (const agent of agents) {
      if (agent.state === 'ended') continue;
      this.#detach(agent, task);
      agent.taskId = task.id;
      this.setState(agent, 'active');
    }
  }

  finish(task: SimTask, state: 'completed' | 'failed' | 'cancelled', result: SimTask['result'] = null): void {
    task.state = state;
    task.result = result;
    task.startedAtMs ??= this.elapsedMs;
    task.endedAtMs = this.elapsedMs;
    if (state === 'completed') task.progress = 100;
    for (const agent of this.#release(task)) {
      if (state === 'completed') agent.tasksCompleted += 1;
      if (state === 'failed') agent.tasksFailed += 1;
    }
  }

  /** A task that its last agent leaves for another waits for someone again. */
  #detach(agent: SimAgent, next: SimTask): void {
    const task = this.task(agent.taskId);
    if (task === undefined || task === next || task.endedAtMs !== null) return;
    task.assignedTo = task.assignedTo.filter((id) => id !== agent.id);
    if (task.assignedTo.length === 0) task.state = 'pending';
  }

  /** @returns the agents that were working on the task, idle now */
  #release(task: SimTask): SimAgent[] {
    const working = task.assignedTo
      .map((id) => this.agent(id))
      .filter((agent) => agent !== undefined)
      .filter(({ taskId }) => taskId === task.id);
    for (const agent of working) {
      agent.taskId = null;
      this.setState(agent, 'idle');
    }
    return working;
  }

  #homeSwarm(): string | null {
    if (this.options.type === 'claude-flow') return this.swarms.at(-1)?.id ?? null;
    return this.swarms[this.#born % this.swarms.length]?.id ?? null;
  }

  #agentId(group: AgentGroup): string {
    if (this.options.type === 'daa') return this.ids.uuid();
    if (this.options.type === 'ruv-swarm') return this.ids.timestamped('agent');
    if (group === 'daa') return this.#daaId();
    return group === 'worker' ? this.ids.tagged('hw', 4) : this.ids.tagged('agent', 6);
  }

  #daaId(): string {
    for (let number = this.#daaBorn + 1; ; number += 1) {
      if (this.#agents.has(`daa-${number}`)) continue;
      this.#daaBorn = number;
      return `daa-${number}`;
    }
  }

  #taskId(): string {
    if (this.options.type === 'daa') return this.ids.uuid();
    return this.options.type === 'ruv-swarm' ? this.ids.timestamped('task') : this.ids.tagged('task', 6);
  }

  #forget(): void {
    for (const { id, endedAtStep } of this.#agents.values()) {
      if (endedAtStep !== null && this.#steps - endedAtStep > ENDED_KEPT_STEPS) this.#agents.delete(id);
    }
    const finished = this.tasks().filter(({ endedAtMs }) => endedAtMs !== null);
    const surplus = finished.length - MIN_FINISHED_TASKS - this.options.agents;
    for (const { id } of finished.slice(0, Math.max(0, surplus))) this.#tasks.delete(id);
  }
}
