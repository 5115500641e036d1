import type { z } from 'zod';
import {
  mapNeuralFields,
  mapPerformanceFields,
  NEURAL_FIELDS,
  PERFORMANCE_FIELDS,
  type ReportedAgent,
  type ReportedEdge,
  type ReportedSwarm,
  type ReportedTask,
  type ServerReport,
  type ToolFailure,
} from '../../model/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import { collectProblems, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import type {
  AgentSource,
  MappedAgentField,
  MappedEdgeField,
  MappedSwarmField,
  MappedTaskField,
  ServerMapping,
  TaskSource,
} from '../server-mapping.js';
import { RecordReader } from '../responses/record-reader.js';
import { MappedAnswers } from './mapped-answers.js';
import { MappedSource, type MappedSourceOptions } from './mapped-source.js';
import { VALUE_SCHEMAS } from './value-schemas.js';
import {
  toNeural,
  toPerformance,
  createReportedAgent,
  createReportedSwarm,
  createReportedTask,
} from '../responses/report-builders.js';
import { parseTaskStatus } from '../responses/task-status.js';
import { parseAgentStatus } from '../responses/agent-status.js';

const AGENT_SCHEMAS = {
  id: VALUE_SCHEMAS.id,
  name: VALUE_SCHEMAS.name,
  type: VALUE_SCHEMAS.word,
  status: VALUE_SCHEMAS.word,
  swarmId: VALUE_SCHEMAS.reference,
  parentId: VALUE_SCHEMAS.reference,
  title: VALUE_SCHEMAS.name,
  workspace: VALUE_SCHEMAS.name,
  role: VALUE_SCHEMAS.word,
  model: VALUE_SCHEMAS.name,
  currentTaskId: VALUE_SCHEMAS.reference,
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

const TASK_SCHEMAS = {
  id: VALUE_SCHEMAS.id,
  title: VALUE_SCHEMAS.name,
  status: VALUE_SCHEMAS.word,
  swarmId: VALUE_SCHEMAS.reference,
  agentIds: VALUE_SCHEMAS.references,
  dependsOnIds: VALUE_SCHEMAS.references,
  createdAt: VALUE_SCHEMAS.timestamp,
  startedAt: VALUE_SCHEMAS.timestamp,
  endedAt: VALUE_SCHEMAS.timestamp,
} satisfies Record<MappedTaskField, z.ZodType>;
type MappedTask = { readonly [F in MappedTaskField]: z.output<(typeof TASK_SCHEMAS)[F]> };

const EDGE_SCHEMAS = {
  from: VALUE_SCHEMAS.id,
  to: VALUE_SCHEMAS.id,
  relation: VALUE_SCHEMAS.word,
  swarmId: VALUE_SCHEMAS.reference,
} satisfies Record<MappedEdgeField, z.ZodType>;
type MappedEdge = { readonly [F in MappedEdgeField]: z.output<(typeof EDGE_SCHEMAS)[F]> };

const NO_MAPPING: ServerMapping = { agents: [], swarms: null };

interface EdgeReport {
  readonly reported: readonly ReportedEdge[];
  readonly omissions: readonly ToolFailure[];
}

interface SwarmRecord {
  readonly swarm: ReportedSwarm;
  readonly agentIds: readonly string[];
}

/**
 * Reads any other server through the mapping in its configuration. A server without a mapping has no agents, and its tools
 * are not called.
 */
export class CustomAdapter implements Adapter {
  readonly type = 'CUSTOM';
  readonly agentServerTypes = ['CUSTOM'] as const;
  readonly #records: RecordReader;
  readonly #answers: MappedAnswers;
  readonly #agents: readonly MappedSource<typeof AGENT_SCHEMAS, ReportedAgent>[];
  readonly #swarms: MappedSource<typeof SWARM_SCHEMAS, SwarmRecord> | null;
  readonly #tasks: readonly MappedSource<typeof TASK_SCHEMAS, ReportedTask>[];
  readonly #edges: readonly MappedSource<typeof EDGE_SCHEMAS, MappedEdge>[];

  constructor(context: AdapterContext) {
    const { agents, swarms, tasks = [], edges = [] } = context.mapping ?? NO_MAPPING;
    this.#records = new RecordReader(context);
    this.#answers = new MappedAnswers(context, this.#records);
    const create = <S extends Readonly<Record<string, z.ZodType>>, T>(
      source: MappedSource<S, T>['source'],
      options: MappedSourceOptions<S, T>,
    ): MappedSource<S, T> => new MappedSource(source, context, this.#answers, this.#records, options);
    this.#agents = agents.map((source, index) =>
      create(source, {
        schemas: AGENT_SCHEMAS,
        required: ['id'],
        isMain: index === 0,
        minIntervalMs: 0,
        convert: (agent) => toReportedAgent(agent, source),
      }),
    );
    const others = { isMain: false, minIntervalMs: TEN_HZ_INTERVAL_MS };
    this.#swarms =
      swarms === null
        ? null
        : create(swarms, { schemas: SWARM_SCHEMAS, required: ['id'], ...others, convert: toSwarmRecord });
    this.#tasks = tasks.map((source, index) =>
      create(source, {
        schemas: TASK_SCHEMAS,
        required: ['id'],
        ...others,
        isMain: agents.length === 0 && index === 0,
        convert: (task) => toReportedTask(task, source),
      }),
    );
    this.#edges = edges.map((source) =>
      create(source, {
        schemas: EDGE_SCHEMAS,
        required: ['from', 'to'],
        identity: ['from', 'to', 'relation', 'swarmId'],
        ...others,
        convert: (edge) => edge,
      }),
    );
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
    const sources = [...this.#agents, ...(this.#swarms === null ? [] : [this.#swarms]), ...this.#tasks, ...this.#edges];
    this.#answers.clear();
    try {
      // One call at a time, because an unknown server may not support parallel calls.
      for (const { tool } of sources) await tool.refresh(signal);
    } finally {
      this.#answers.clear();
    }
    const problems = collectProblems(sources.flatMap(({ requests }) => requests));
    const agents = this.#reportedAgents();
    const edges = this.#reportedEdges(agents);
    const omissions = [...(problems.omissions ?? []), ...edges.omissions];
    return {
      agents,
      swarms: this.#reportedSwarms(),
      edges: edges.reported,
      ...(this.#tasks.length === 0 ? {} : { tasks: this.#reportedTasks() }),
      ...(omissions.length === 0 ? {} : { omissions }),
      failures: [...sources.flatMap(({ missingTools }) => missingTools), ...problems.failures],
    };
  }

  #reportedAgents(): readonly ReportedAgent[] {
    const members = this.#members();
    const agents = new Map<string, ReportedAgent>();
    for (const { tool } of this.#agents) {
      const stale = tool.failure !== null;
      for (const agent of tool.lastGood ?? []) {
        // Ids are unique in a server, so only the first agent with an id is kept.
        if (agents.has(agent.nativeId)) continue;
        const swarmNativeId = agent.swarmNativeId ?? members.get(agent.nativeId) ?? null;
        const isUnchanged = !stale && swarmNativeId === agent.swarmNativeId;
        agents.set(agent.nativeId, isUnchanged ? agent : { ...agent, swarmNativeId, stale });
      }
    }
    return [...agents.values()];
  }

  /** Returns the native swarm ids that the swarms report for their agents, by native agent id. */
  #members(): ReadonlyMap<string, string> {
    const members = new Map<string, string>();
    for (const { swarm, agentIds } of this.#swarms?.tool.current ?? []) {
      for (const id of agentIds) if (!members.has(id)) members.set(id, swarm.nativeId);
    }
    return members;
  }

  #reportedSwarms(): readonly ReportedSwarm[] {
    const tool = this.#swarms?.tool;
    const stale = tool !== undefined && tool.failure !== null;
    return (tool?.lastGood ?? []).map(({ swarm }) => (stale ? { ...swarm, stale } : swarm));
  }

  #reportedTasks(): readonly ReportedTask[] {
    const tasks = new Map<string, ReportedTask>();
    for (const { tool } of this.#tasks) {
      const stale = tool.failure !== null;
      for (const task of tool.lastGood ?? [])
        if (!tasks.has(task.nativeId)) tasks.set(task.nativeId, stale ? { ...task, stale } : task);
    }
    return [...tasks.values()];
  }

  /**
   * Returns the edges between agents, with the reason if edges are left out. An edge without a swarm belongs to the swarm of its
   * agents.
   */
  #reportedEdges(agents: readonly ReportedAgent[]): EdgeReport {
    const reported: ReportedEdge[] = [];
    const omissions: ToolFailure[] = [];
    if (this.#edges.length === 0) return { reported, omissions };
    const swarmIds = new Map(agents.map(({ nativeId, swarmNativeId }) => [nativeId, swarmNativeId]));
    for (const { source, tool } of this.#edges) {
      const edges = tool.lastGood ?? [];
      // Edges to something else than agents, such as documents, are not shown.
      const between = edges.filter(({ from, to }) => swarmIds.has(from) && swarmIds.has(to));
      let withoutSwarm = 0;
      for (const { from, to, relation, swarmId } of between) {
        const swarmNativeId = swarmId ?? swarmIds.get(from) ?? swarmIds.get(to) ?? null;
        if (swarmNativeId === null) withoutSwarm += 1;
        else reported.push({ swarmNativeId, fromNativeId: from, toNativeId: to, relation: relation ?? 'linked' });
      }
      const omit = (reason: string): void => {
        omissions.push({ tool: source.tool, message: `${reason} (${source.place}.fields)` });
      };
      if (edges.length > 0 && between.length === 0) omit(`None of the ${edges.length} edges is between two agents`);
      if (withoutSwarm > 0) omit(`Omitted ${withoutSwarm} edges, because neither they nor their agents have a swarm`);
    }
    return { reported, omissions };
  }
}

function toSwarmRecord({ id, topology, agentIds, ...rest }: MappedSwarm): SwarmRecord {
  const swarm = createReportedSwarm({ ...rest, nativeId: id, serverType: 'CUSTOM', topologyName: topology });
  return { swarm, agentIds: agentIds ?? [] };
}

function toReportedTask(task: MappedTask, { statuses }: TaskSource): ReportedTask {
  return createReportedTask({
    nativeId: task.id,
    serverType: 'CUSTOM',
    swarmNativeId: task.swarmId,
    title: task.title,
    status: (task.status === null ? undefined : statuses.get(task.status)) ?? parseTaskStatus(task.status),
    agentNativeIds: task.agentIds ?? [],
    dependsOnNativeIds: task.dependsOnIds ?? [],
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    endedAt: task.endedAt,
  });
}

function toReportedAgent(agent: MappedAgent, { statuses }: AgentSource): ReportedAgent {
  return createReportedAgent({
    nativeId: agent.id,
    serverType: 'CUSTOM',
    swarmNativeId: agent.swarmId,
    parentNativeId: agent.parentId,
    title: agent.title,
    workspace: agent.workspace,
    name: agent.name ?? agent.id,
    type: agent.type ?? 'unknown',
    status: (agent.status === null ? undefined : statuses.get(agent.status)) ?? parseAgentStatus(agent.status),
    capabilities: agent.capabilities,
    model: agent.model,
    currentTaskNativeId: agent.currentTaskId,
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
  });
}
