import type { z } from 'zod';
import type { ReportedAgent, ReportedSwarm, ServerReport, ToolFailure } from '../domain/index.js';
import type { Adapter, AdapterContext } from './adapter.js';
import { failuresOf, Lane, TEN_HZ_INTERVAL_MS } from './lanes.js';
import { EntryReader, VALUE } from './mapped-entries.js';
import type { AgentField, AgentSource, EntrySource, SwarmField, SwarmSource } from './mapping.js';
import { RecordReader } from './records.js';
import { neuralOf, performanceOf, reportedAgent, reportedSwarm } from './reported.js';
import { agentStatus } from './status.js';

const AGENT = {
  id: VALUE.id,
  name: VALUE.name,
  type: VALUE.word,
  status: VALUE.word,
  swarmId: VALUE.reference,
  role: VALUE.word,
  capabilities: VALUE.capabilities,
  createdAt: VALUE.instant,
  lastActiveAt: VALUE.instant,
  cpuUsage: VALUE.fraction,
  memoryUsage: VALUE.fraction,
  healthScore: VALUE.fraction,
  activityLevel: VALUE.fraction,
  tasksActive: VALUE.count,
  tasksCompleted: VALUE.count,
  tasksFailed: VALUE.count,
  successRate: VALUE.fraction,
  tokenUsage: VALUE.amount,
  tokenRate: VALUE.amount,
  responseTimeMs: VALUE.amount,
  throughput: VALUE.amount,
  cognitivePattern: VALUE.word,
  networkId: VALUE.reference,
  adaptations: VALUE.count,
  learningRate: VALUE.fraction,
} satisfies Record<AgentField, z.ZodType>;
type MappedAgent = { readonly [F in AgentField]: z.output<(typeof AGENT)[F]> };

const SWARM = {
  id: VALUE.id,
  name: VALUE.name,
  status: VALUE.word,
  topology: VALUE.word,
  strategy: VALUE.word,
  maxAgents: VALUE.count,
  tasksTotal: VALUE.count,
  tasksActive: VALUE.count,
  tasksCompleted: VALUE.count,
  createdAt: VALUE.instant,
  agentIds: VALUE.references,
} satisfies Record<SwarmField, z.ZodType>;
type MappedSwarm = { readonly [F in SwarmField]: z.output<(typeof SWARM)[F]> };

interface Mapped<S, T> {
  readonly source: S;
  readonly lane: Lane<T[]>;
}

/**
 * Any server, read as its configuration's mapping says. Without a mapping it is in the picture, with no agents, and its
 * tools are not called.
 */
export class CustomAdapter implements Adapter {
  readonly type = 'CUSTOM';
  readonly families = ['CUSTOM'] as const;
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #agents: readonly Mapped<AgentSource, MappedAgent>[];
  readonly #swarms: Mapped<SwarmSource, MappedSwarm> | null;

  constructor(context: AdapterContext) {
    const { agents = [], swarms = null } = context.mapping ?? {};
    this.#context = context;
    this.#records = new RecordReader(context);
    this.#agents = agents.map((source, index) => {
      const reader = new EntryReader(source, AGENT, this.#records);
      return { source, lane: this.#laneFor(source, index === 0, 0, (answer) => reader.read(answer)) };
    });
    const reader = swarms === null ? null : new EntryReader(swarms, SWARM, this.#records);
    this.#swarms =
      swarms === null || reader === null
        ? null
        : { source: swarms, lane: this.#laneFor(swarms, false, TEN_HZ_INTERVAL_MS, (answer) => reader.read(answer)) };
  }

  get rejected(): number {
    return this.#records.rejected;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  /** Nothing: a mapping says where lists stand, and not what the answer to any other call means. A poll will tell. */
  observe(): ServerReport | null {
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    if (signal.aborted) throw new Error('the poll was aborted', { cause: signal.reason });
    // One after another: how many calls at once a server bears that nobody here knows, nobody here knows.
    for (const { lane } of this.#all()) await lane.ask(signal);
    return {
      agents: this.#reportedAgents(),
      swarms: this.#reportedSwarms(),
      edges: [],
      failures: [...this.#missingTools(), ...failuresOf(this.#all().map(({ lane }) => lane))],
    };
  }

  #all(): Mapped<EntrySource, unknown>[] {
    return [...this.#agents, ...(this.#swarms === null ? [] : [this.#swarms])];
  }

  #laneFor<T>(source: EntrySource, isMain: boolean, minIntervalMs: number, read: (answer: unknown) => T[]): Lane<T[]> {
    return new Lane(this.#context, {
      tool: source.tool,
      args: source.arguments,
      minIntervalMs,
      isMain,
      takesAnyAnswer: true,
      read,
    });
  }

  #missingTools(): ToolFailure[] {
    return this.#all()
      .filter(({ source }) => !this.#context.tools.has(source.tool))
      .map(({ source }) => ({ tool: source.tool, message: `The server offers no such tool (${source.place}.tool)` }));
  }

  #reportedAgents(): ReportedAgent[] {
    const members = this.#members();
    const agents = new Map<string, ReportedAgent>();
    for (const { source, lane } of this.#agents) {
      for (const one of lane.last ?? []) {
        // Ids are unique in a server: of two agents that bear the same one, the one named before stays.
        if (!agents.has(one.id)) agents.set(one.id, agentOf(one, source, members, lane.failure !== null));
      }
    }
    return [...agents.values()];
  }

  /** Native id of the agent → native id of its swarm, where the swarms say so. */
  #members(): ReadonlyMap<string, string> {
    const members = new Map<string, string>();
    for (const swarm of this.#swarms?.lane.known ?? []) {
      for (const id of swarm.agentIds ?? []) if (!members.has(id)) members.set(id, swarm.id);
    }
    return members;
  }

  #reportedSwarms(): ReportedSwarm[] {
    const lane = this.#swarms?.lane;
    return (lane?.last ?? []).map(({ id, topology, agentIds: _members, ...known }) =>
      reportedSwarm({
        ...known,
        nativeId: id,
        serverType: 'CUSTOM',
        topologyName: topology,
        stale: lane?.failure !== null,
      }),
    );
  }
}

function agentOf(
  one: MappedAgent,
  { statuses }: AgentSource,
  members: ReadonlyMap<string, string>,
  stale: boolean,
): ReportedAgent {
  const { cognitivePattern, networkId, adaptations, learningRate } = one;
  return reportedAgent({
    nativeId: one.id,
    serverType: 'CUSTOM',
    swarmNativeId: one.swarmId ?? members.get(one.id) ?? null,
    name: one.name ?? one.id,
    type: one.type ?? 'unknown',
    status: (one.status === null ? undefined : statuses.get(one.status)) ?? agentStatus(one.status),
    capabilities: one.capabilities,
    performance: performanceOf({
      cpuUsage: one.cpuUsage,
      memoryUsage: one.memoryUsage,
      healthScore: one.healthScore,
      activityLevel: one.activityLevel,
      tasksActive: one.tasksActive,
      tasksCompleted: one.tasksCompleted,
      tasksFailed: one.tasksFailed,
      successRate: one.successRate,
      tokenUsage: one.tokenUsage,
      tokenRate: one.tokenRate,
      responseTimeMs: one.responseTimeMs,
      throughput: one.throughput,
    }),
    neural: neuralOf({ cognitivePattern, networkId, adaptations, learningRate }),
    role: one.role,
    createdAt: one.createdAt,
    lastActiveAt: one.lastActiveAt,
    stale,
  });
}
