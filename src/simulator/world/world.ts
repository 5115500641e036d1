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

/** Number of steps for which ended agents are kept. */
const ENDED_KEPT_STEPS = 30;
/** Number of finished tasks that are kept, besides one per agent. */
const MIN_FINISHED_TASKS = 30;

export interface WorldOptions {
  readonly type: SimulatorType;
  readonly seed: number;
  /** Average number of running agents. */
  readonly agents: number;
  /** Time of step 0 in milliseconds since the epoch. */
  readonly startMs: number;
  /** Simulated duration of one step in milliseconds. */
  readonly stepMs: number;
}

/** Simulated world at one step. Deterministic: uses neither a clock nor random numbers besides those of its seed. */
export class World {
  readonly options: WorldOptions;
  readonly random: SeededRandom;
  readonly ids: IdGenerator;
  readonly swarms: SimSwarm[] = [];
  hive: SimHive | null = null;
  /** Agents by id in the order of their creation, including recently ended ones. */
  readonly #agents = new Map<string, SimAgent>();
  readonly #tasks = new Map<string, SimTask>();
  #steps = 0;
  #spawnCount = 0;
  #daaSpawnCount = 0;

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

  /** Formats a simulated time as RFC 3339 in UTC. */
  timestampAt(elapsedMs: number): string {
    return new Date(Math.floor(this.options.startMs + elapsedMs)).toISOString();
  }

  /** Current simulated time as RFC 3339 in UTC. */
  get now(): string {
    return this.timestampAt(this.elapsedMs);
  }

  /** Advances the simulated time by one step. The caller simulates the agents. */
  nextStep(): void {
    this.#steps += 1;
    this.ids.moveTo(this.#steps);
    this.#removeExpired();
  }

  agent(id: string | null): SimAgent | undefined {
    return id === null ? undefined : this.#agents.get(id);
  }

  task(id: string | null): SimTask | undefined {
    return id === null ? undefined : this.#tasks.get(id);
  }

  /** Returns the agents of a group or all agents, including recently ended ones. */
  agents(group?: AgentGroup): SimAgent[] {
    return [...this.#agents.values()].filter((agent) => group === undefined || agent.group === group);
  }

  livingAgents(group?: AgentGroup): SimAgent[] {
    return this.agents(group).filter(({ state }) => state !== 'ended');
  }

  tasks(state?: TaskState): SimTask[] {
    return [...this.#tasks.values()].filter((task) => state === undefined || task.state === state);
  }

  /** Adds an agent. Its id must be unused. */
  spawn(spec: AgentSpec): SimAgent {
    const agent: SimAgent = {
      id: spec.id ?? this.#agentId(spec.group),
      name: spec.name ?? `${spec.type}-${this.#spawnCount}`,
      number: this.#spawnCount,
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
    this.#spawnCount += 1;
    this.#agents.set(agent.id, agent);
    return agent;
  }

  setState(agent: SimAgent, state: AgentState): void {
    agent.state = state;
    agent.statusOverride = null;
    agent.touchedAtMs = this.elapsedMs;
  }

  /** Ends an agent. Fails the tasks that no other agent works on. */
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

  /** Assigns a task to agents, which leave their current tasks. */
  assign(task: SimTask, agents: readonly SimAgent[]): void {
    this.#release(task);
    task.assignedTo = agents.map(({ id }) => id);
    if (agents.length === 0) task.state = 'pending';
    else this.begin(task, agents);
  }

  /** Starts a task with those of its agents that have not ended. */
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

  /** Removes an agent from its current task. A task without agents is pending again. */
  #detach(agent: SimAgent, next: SimTask): void {
    const task = this.task(agent.taskId);
    if (task === undefined || task === next || task.endedAtMs !== null) return;
    task.assignedTo = task.assignedTo.filter((id) => id !== agent.id);
    if (task.assignedTo.length === 0) task.state = 'pending';
  }

  /** Makes the agents of a task idle and returns them. */
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
    return this.swarms[this.#spawnCount % this.swarms.length]?.id ?? null;
  }

  #agentId(group: AgentGroup): string {
    if (this.options.type === 'daa') return this.ids.uuid();
    if (this.options.type === 'ruv-swarm') return this.ids.timestamped('agent');
    if (group === 'daa') return this.#daaId();
    return group === 'worker' ? this.ids.tagged('hw', 4) : this.ids.tagged('agent', 6);
  }

  #daaId(): string {
    for (let number = this.#daaSpawnCount + 1; ; number += 1) {
      if (this.#agents.has(`daa-${number}`)) continue;
      this.#daaSpawnCount = number;
      return `daa-${number}`;
    }
  }

  #taskId(): string {
    if (this.options.type === 'daa') return this.ids.uuid();
    return this.options.type === 'ruv-swarm' ? this.ids.timestamped('task') : this.ids.tagged('task', 6);
  }

  #removeExpired(): void {
    for (const { id, endedAtStep } of this.#agents.values()) {
      if (endedAtStep !== null && this.#steps - endedAtStep > ENDED_KEPT_STEPS) this.#agents.delete(id);
    }
    const finished = this.tasks().filter(({ endedAtMs }) => endedAtMs !== null);
    const surplus = finished.length - MIN_FINISHED_TASKS - this.options.agents;
    for (const { id } of finished.slice(0, Math.max(0, surplus))) this.#tasks.delete(id);
  }
}
