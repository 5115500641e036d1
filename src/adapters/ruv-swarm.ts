import { z } from 'zod';
import type { McpServerType, ReportedAgent, ReportedSwarm, ServerReport } from '../domain/index.js';
import { ToolRejectedError } from '../mcp/index.js';
import type { Adapter, AdapterContext } from './adapter.js';
import * as field from './fields.js';
import { failuresOf, Lane, readAnswer, TEN_HZ_INTERVAL_MS, together } from './lanes.js';
import { isObject, RecordReader } from './records.js';
import { neuralOf, performanceOf, reportedAgent, reportedSwarm } from './reported.js';
import { SwarmMembers } from './ruv-swarm-members.js';
import { agentStatus } from './status.js';
import { TaskTally } from './tasks.js';

const agentSchema = z.object({
  id: field.id,
  name: field.name,
  type: field.word,
  status: field.word,
  cognitive_pattern: field.word,
  capabilities: field.capabilities,
  neural_network_id: field.reference,
});

const swarmSchema = z.object({
  id: field.id,
  agents: z.object({ total: field.count }).nullish(),
  tasks: z.object({ total: field.count, in_progress: field.count, completed: field.count }).nullish(),
});

const taskSchema = z.object({ id: field.id, status: field.word, assignedAgents: field.references });

/** ruv-swarm. Of its tools, those that make up their numbers or always fail are never asked. */
export class RuvSwarmAdapter implements Adapter {
  readonly type = 'RUV_SWARM';
  readonly families: readonly McpServerType[] = ['RUV_SWARM'];
  readonly #context: AdapterContext;
  readonly #records: RecordReader;
  readonly #agents: Lane<z.output<typeof agentSchema>[]>;
  readonly #swarms: Lane<z.output<typeof swarmSchema>[]>;
  readonly #tasks: Lane<TaskTally>;
  readonly #members: SwarmMembers;
  #primed = false;
  #known: ReadonlySet<string> = new Set();

  constructor(context: AdapterContext) {
    const records = new RecordReader(context);
    this.#context = context;
    this.#records = records;
    this.#agents = new Lane(context, {
      tool: 'agent_list',
      minIntervalMs: 0,
      isMain: true,
      read: (answer) => {
        const { agents } = readAnswer(z.object({ agents: z.array(z.unknown()) }), answer);
        return records.readAll({ tool: 'agent_list', path: 'agents' }, agentSchema, agents, (one) => one.id);
      },
    });
    this.#swarms = new Lane(context, {
      tool: 'swarm_status',
      minIntervalMs: TEN_HZ_INTERVAL_MS,
      read: (answer) => readSwarms(records, answer),
    });
    this.#tasks = new Lane(context, {
      tool: 'task_status',
      minIntervalMs: TEN_HZ_INTERVAL_MS,
      read: (answer) => {
        const { tasks } = readAnswer(z.object({ tasks: z.array(z.unknown()) }), answer);
        const read = records.readAll({ tool: 'task_status', path: 'tasks' }, taskSchema, tasks, (one) => one.id);
        return new TaskTally(read.map(({ status, assignedAgents }) => ({ status, assignees: assignedAgents ?? [] })));
      },
    });
    this.#members = new SwarmMembers(context);
  }

  get rejected(): number {
    return this.#records.rejected;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  observe(): ServerReport | null {
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // The list first: when it cannot be had, the server is away, and the rest need not be asked.
    await this.#agents.ask(signal);
    const ids = (this.#agents.last ?? []).map((one) => one.id);
    const isNew = ids.some((id) => !this.#known.has(id));
    await together([this.#askSwarms(signal, isNew), this.#tasks.ask(signal)]);
    if (this.#agents.failure === null) {
      // A swarm that says it has no agents need not be asked for them: after a restart all old ones are such.
      const swarms = (this.#swarms.last ?? []).filter((swarm) => swarm.agents?.total !== 0);
      await this.#members.ask({ swarmIds: swarms.map((swarm) => swarm.id), agentIds: ids, isNew }, signal);
    }
    this.#known = new Set(ids);
    return {
      agents: this.#reportedAgents(),
      swarms: this.#reportedSwarms(),
      edges: [],
      failures: failuresOf([this.#agents, this.#swarms, this.#tasks, this.#members]),
    };
  }

  /** @param isNew there is an agent that was not there before: the swarms known so far may be out of date */
  async #askSwarms(signal: AbortSignal, isNew: boolean): Promise<void> {
    const minIntervalMs = isNew ? 0 : TEN_HZ_INTERVAL_MS;
    if (!this.#swarms.isDue(minIntervalMs)) return;
    if (!this.#primed && this.#context.tools.has('memory_usage')) await this.#prime(signal);
    await this.#swarms.ask(signal, minIntervalMs);
  }

  /** `swarm_status` fails until something has made the server set up its metrics, which `memory_usage` does. */
  async #prime(signal: AbortSignal): Promise<void> {
    try {
      await this.#context.caller.callTool('memory_usage', {}, signal);
      this.#primed = true;
    } catch (error) {
      // Whether it mattered shows in the answer to swarm_status; it is tried again with that one's next call.
      if (!(error instanceof ToolRejectedError)) throw error;
    }
  }

  #reportedAgents(): ReportedAgent[] {
    const stale = this.#agents.failure !== null;
    const swarmOf = this.#members.placement();
    return (this.#agents.last ?? []).map((one) => {
      const tasks = this.#tasks.known?.of(one.id);
      return reportedAgent({
        nativeId: one.id,
        serverType: 'RUV_SWARM',
        swarmNativeId: swarmOf.get(one.id) ?? null,
        name: one.name ?? one.id,
        type: one.type ?? 'unknown',
        status: agentStatus(one.status),
        capabilities: one.capabilities,
        performance: performanceOf({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        neural: neuralOf({ cognitivePattern: one.cognitive_pattern, networkId: one.neural_network_id }),
        stale,
      });
    });
  }

  #reportedSwarms(): ReportedSwarm[] {
    const stale = this.#swarms.failure !== null;
    return (this.#swarms.last ?? []).map((swarm) =>
      reportedSwarm({
        nativeId: swarm.id,
        serverType: 'RUV_SWARM',
        tasksTotal: swarm.tasks?.total ?? null,
        tasksActive: swarm.tasks?.in_progress ?? null,
        tasksCompleted: swarm.tasks?.completed ?? null,
        stale,
      }),
    );
  }
}

/** Each entry is `{ id, status: { agents, tasks } }`; of a swarm, only the counts in `status` are told. */
function readSwarms(records: RecordReader, answer: unknown): z.output<typeof swarmSchema>[] {
  const { swarms } = readAnswer(z.object({ swarms: z.array(z.unknown()) }), answer);
  const flat = swarms.map((swarm) => {
    if (!isObject(swarm)) return swarm;
    const { id, status } = swarm;
    return isObject(status) ? { ...status, id } : { id };
  });
  return records.readAll({ tool: 'swarm_status', path: 'swarms' }, swarmSchema, flat, (one) => one.id);
}
