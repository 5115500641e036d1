import type { z } from 'zod';
import {
  mapNeuralFields,
  mapPerformanceFields,
  NEURAL_FIELDS,
  PERFORMANCE_FIELDS,
  type ReportedAgent,
  type ReportedSwarm,
  type ServerReport,
  type ToolFailure,
} from '../../model/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { collectFailures, PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { EntryReader, VALUE_SCHEMAS } from './entry-reader.js';
import type { MappedAgentField, AgentSource, EntrySource, MappedSwarmField, SwarmSource } from '../server-mapping.js';
import { RecordReader } from '../responses/record-reader.js';
import { toNeural, toPerformance, createReportedAgent, createReportedSwarm } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';

const AGENT = {
  id: VALUE_SCHEMAS.id,
  name: VALUE_SCHEMAS.name,
  type: VALUE_SCHEMAS.word,
  status: VALUE_SCHEMAS.word,
  swarmId: VALUE_SCHEMAS.reference,
  role: VALUE_SCHEMAS.word,
  capabilities: VALUE_SCHEMAS.capabilities,
  createdAt: VALUE_SCHEMAS.timestamp,
  lastActiveAt: VALUE_SCHEMAS.timestamp,
  ...mapPerformanceFields((name) => VALUE_SCHEMAS[PERFORMANCE_FIELDS[name].kind]),
  ...mapNeuralFields(
    (name) => VALUE_SCHEMAS[NEURAL_FIELDS[name].kind],
    (name) => VALUE_SCHEMAS[NEURAL_FIELDS[name].kind],
  ),
} satisfies Record<MappedAgentField, z.ZodType>;
type MappedAgent = { readonly [F in MappedAgentField]: z.output<(typeof AGENT)[F]> };

const SWARM = {
  id: VALUE_SCHEMAS.id,
  name: VALUE_SCHEMAS.name,
  status: VALUE_SCHEMAS.word,
  topology: VALUE_SCHEMAS.word,
  strategy: VALUE_SCHEMAS.word,
  maxAgents: VALUE_SCHEMAS.count,
  tasksTotal: VALUE_SCHEMAS.count,
  tasksActive: VALUE_SCHEMAS.count,
  tasksCompleted: VALUE_SCHEMAS.count,
  createdAt: VALUE_SCHEMAS.timestamp,
  agentIds: VALUE_SCHEMAS.references,
} satisfies Record<MappedSwarmField, z.ZodType>;
type MappedSwarm = { readonly [F in MappedSwarmField]: z.output<(typeof SWARM)[F]> };

interface MappedSource<S, T> {
  readonly source: S;
  readonly lane: PolledTool<T[]>;
}

/**
 * Any server, read as its configuration's mapping says. Without a mapping it is in the picture, with no agents, and its
 * tools are not called.
 */
export class CustomAdapter implements Adapter {
  readonly type = 'CUSTOM';
  readonly agentServerTypes = ['CUSTOM'] as const;
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #agents: readonly MappedSource<AgentSource, MappedAgent>[];
  readonly #swarms: MappedSource<SwarmSource, MappedSwarm> | null;

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

  get rejectedCount(): number {
    return this.#records.rejectedCount;
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
    for (const { lane } of this.#all()) await lane.refresh(signal);
    return {
      agents: this.#reportedAgents(),
      swarms: this.#reportedSwarms(),
      edges: [],
      failures: [...this.#missingTools(), ...collectFailures(this.#all().map(({ lane }) => lane))],
    };
  }

  #all(): MappedSource<EntrySource, unknown>[] {
    return [...this.#agents, ...(this.#swarms === null ? [] : [this.#swarms])];
  }

  #laneFor<T>(
    source: EntrySource,
    isMain: boolean,
    minIntervalMs: number,
    read: (answer: unknown) => T[],
  ): PolledTool<T[]> {
    return new PolledTool(this.#context, {
      tool: source.tool,
      args: source.arguments,
      minIntervalMs,
      isMain,
      acceptsAnyResponse: true,
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
      for (const one of lane.lastGood ?? []) {
        // Ids are unique in a server: of two agents that bear the same one, the one named before stays.
        if (!agents.has(one.id)) agents.set(one.id, agentOf(one, source, members, lane.failure !== null));
      }
    }
    return [...agents.values()];
  }

  /** Native id of the agent → native id of its swarm, where the swarms say so. */
  #members(): ReadonlyMap<string, string> {
    const members = new Map<string, string>();
    for (const swarm of this.#swarms?.lane.current ?? []) {
      for (const id of swarm.agentIds ?? []) if (!members.has(id)) members.set(id, swarm.id);
    }
    return members;
  }

  #reportedSwarms(): ReportedSwarm[] {
    const lane = this.#swarms?.lane;
    return (lane?.lastGood ?? []).map(({ id, topology, agentIds: _members, ...known }) =>
      createReportedSwarm({
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
  return createReportedAgent({
    nativeId: one.id,
    serverType: 'CUSTOM',
    swarmNativeId: one.swarmId ?? members.get(one.id) ?? null,
    name: one.name ?? one.id,
    type: one.type ?? 'unknown',
    status: (one.status === null ? undefined : statuses.get(one.status)) ?? parseAgentStatus(one.status),
    capabilities: one.capabilities,
    performance: toPerformance(mapPerformanceFields((name) => one[name])),
    neural: toNeural(
      mapNeuralFields(
        (name) => one[name],
        (name) => one[name],
      ),
    ),
    role: one.role,
    createdAt: one.createdAt,
    lastActiveAt: one.lastActiveAt,
    stale,
  });
}
