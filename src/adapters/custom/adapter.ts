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
import { collectProblems, PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { EntryReader, VALUE_SCHEMAS } from './entry-reader.js';
import type { MappedAgentField, AgentSource, EntrySource, MappedSwarmField, SwarmSource } from '../server-mapping.js';
import { RecordReader } from '../responses/record-reader.js';
import { toNeural, toPerformance, createReportedAgent, createReportedSwarm } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';

const AGENT_SCHEMAS = {
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
type MappedAgent = { readonly [F in MappedAgentField]: z.output<(typeof AGENT_SCHEMAS)[F]> };

const SWARM_SCHEMAS = {
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
type MappedSwarm = { readonly [F in MappedSwarmField]: z.output<(typeof SWARM_SCHEMAS)[F]> };

interface MappedSource<S, T> {
  readonly source: S;
  readonly tool: PolledTool<T[]>;
}

/**
 * Reads any other server through the mapping in its configuration. A server without a mapping has no agents, and its tools
 * are not called.
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
      const reader = new EntryReader(source, AGENT_SCHEMAS, this.#records);
      return { source, tool: this.#createTool(source, index === 0, 0, (response) => reader.read(response)) };
    });
    const reader = swarms === null ? null : new EntryReader(swarms, SWARM_SCHEMAS, this.#records);
    this.#swarms =
      swarms === null || reader === null
        ? null
        : {
            source: swarms,
            tool: this.#createTool(swarms, false, TEN_HZ_INTERVAL_MS, (response) => reader.read(response)),
          };
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  /** Returns null: a mapping describes lists only, so observed calls are not interpreted. */
  observe(): ServerReport | null {
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    if (signal.aborted) throw new Error('the poll was aborted', { cause: signal.reason });
    // One call at a time, because an unknown server may not support parallel calls.
    for (const { tool } of this.#all()) await tool.refresh(signal);
    const problems = collectProblems(this.#all().map(({ tool }) => tool));
    return {
      agents: this.#reportedAgents(),
      swarms: this.#reportedSwarms(),
      edges: [],
      ...problems,
      failures: [...this.#missingTools(), ...problems.failures],
    };
  }

  #all(): MappedSource<EntrySource, unknown>[] {
    return [...this.#agents, ...(this.#swarms === null ? [] : [this.#swarms])];
  }

  #createTool<T>(
    source: EntrySource,
    isMain: boolean,
    minIntervalMs: number,
    read: (response: unknown) => T[],
  ): PolledTool<T[]> {
    return new PolledTool(this.#context, {
      tool: source.tool,
      records: this.#records,
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
    for (const { source, tool } of this.#agents) {
      for (const agent of tool.lastGood ?? []) {
        // Ids are unique in a server, so only the first agent with an id is kept.
        if (!agents.has(agent.id)) agents.set(agent.id, toReportedAgent(agent, source, members, tool.failure !== null));
      }
    }
    return [...agents.values()];
  }

  /** Returns the native swarm ids that the swarms report for their agents, by native agent id. */
  #members(): ReadonlyMap<string, string> {
    const members = new Map<string, string>();
    for (const swarm of this.#swarms?.tool.current ?? []) {
      for (const id of swarm.agentIds ?? []) if (!members.has(id)) members.set(id, swarm.id);
    }
    return members;
  }

  #reportedSwarms(): ReportedSwarm[] {
    const tool = this.#swarms?.tool;
    return (tool?.lastGood ?? []).map(({ id, topology, agentIds: _members, ...rest }) =>
      createReportedSwarm({
        ...rest,
        nativeId: id,
        serverType: 'CUSTOM',
        topologyName: topology,
        stale: tool?.failure !== null,
      }),
    );
  }
}

function toReportedAgent(
  agent: MappedAgent,
  { statuses }: AgentSource,
  members: ReadonlyMap<string, string>,
  stale: boolean,
): ReportedAgent {
  return createReportedAgent({
    nativeId: agent.id,
    serverType: 'CUSTOM',
    swarmNativeId: agent.swarmId ?? members.get(agent.id) ?? null,
    name: agent.name ?? agent.id,
    type: agent.type ?? 'unknown',
    status: (agent.status === null ? undefined : statuses.get(agent.status)) ?? parseAgentStatus(agent.status),
    capabilities: agent.capabilities,
    performance: toPerformance(mapPerformanceFields((name) => agent[name])),
    neural: toNeural(
      mapNeuralFields(
        (name) => agent[name],
        (name) => agent[name],
      ),
    ),
    role: agent.role,
    createdAt: agent.createdAt,
    lastActiveAt: agent.lastActiveAt,
    stale,
  });
}
