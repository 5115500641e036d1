import { z } from 'zod';
import type { McpServerType, ReportedAgent, ServerReport } from '../../model/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectFailures, PolledTool, parseResponse, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { isObject, RecordReader } from '../responses/record-reader.js';
import { toPerformance, createReportedAgent } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';
import { type AssignedTask, TaskCounter } from '../responses/task-counter.js';

const agentSchema = z.object({
  id: field.id,
  name: field.name,
  agent_type: field.word,
  status: field.word,
  capabilities: field.capabilities,
  created_at: field.timestamp,
  last_seen: field.timestamp,
});

const agentsSchema = z.object({ agents: z.array(z.unknown()) });
const tasksSchema = z.object({ tasks: z.array(z.unknown()), total_count: z.unknown().optional() });

/** The DAA project's own server. Its agents say nothing of a swarm, so none is shown. */
export class DaaAdapter implements Adapter {
  readonly type = 'DAA';
  readonly agentServerTypes: readonly McpServerType[] = ['DAA'];
  readonly #records: RecordReader;
  readonly #agents: PolledTool<z.output<typeof agentSchema>[]>;
  readonly #tasks: PolledTool<TaskCounter | null>;

  constructor(context: AdapterContext) {
    this.#records = new RecordReader(context);
    this.#agents = new PolledTool(context, {
      tool: 'list_agents',
      minIntervalMs: 0,
      isMain: true,
      read: (answer) => {
        const { agents } = parseResponse(agentsSchema, answer);
        return this.#records.readAll({ tool: 'list_agents', path: 'agents' }, agentSchema, agents, (one) => one.id);
      },
    });
    this.#tasks = new PolledTool(context, {
      tool: 'list_tasks',
      minIntervalMs: TEN_HZ_INTERVAL_MS,
      read: (answer) => tallyOf(parseResponse(tasksSchema, answer)),
    });
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  /** Nothing: it is reached over the network only, where nobody shares a session with us. */
  observe(): ServerReport | null {
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // The list first: when it cannot be had, the server is away, and the rest need not be asked.
    await this.#agents.refresh(signal);
    await this.#tasks.refresh(signal);
    const stale = this.#agents.failure !== null;
    const agents = (this.#agents.lastGood ?? []).map((one): ReportedAgent => {
      const tasks = this.#tasks.current?.countsFor(one.id);
      return createReportedAgent({
        nativeId: one.id,
        serverType: 'DAA',
        name: one.name ?? one.id,
        type: one.agent_type ?? 'unknown',
        status: parseAgentStatus(one.status),
        capabilities: one.capabilities,
        performance: toPerformance({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        createdAt: one.created_at,
        lastActiveAt: one.last_seen,
        stale,
      });
    });
    return { agents, swarms: [], edges: [], failures: collectFailures([this.#agents, this.#tasks]) };
  }
}

/** @returns `null` when the list is not complete, or does not say whose its tasks are: then nothing can be counted */
function tallyOf(answer: z.output<typeof tasksSchema>): TaskCounter | null {
  const { tasks, total_count: total } = answer;
  if (typeof total === 'number' && total > tasks.length) return null;
  const assigned = tasks.map(assignedTaskOf);
  if (tasks.length > 0 && assigned.every((task) => task === null)) return null;
  return new TaskCounter(assigned.filter((task) => task !== null));
}

const ASSIGNEE_KEYS = ['assigned_agents', 'assigned_to', 'assigned_agent', 'agent_ids', 'agent_id'];

/** Whose task it is stands somewhere in the entry, its task or its result. `null` when nothing there could say. */
function assignedTaskOf(entry: unknown): AssignedTask | null {
  if (!isObject(entry)) return null;
  const places = [entry['task'], entry['result'], entry].filter(isObject);
  const found = places.flatMap((place) =>
    ASSIGNEE_KEYS.filter((key) => Object.hasOwn(place, key)).map((key) => place[key]),
  );
  if (found.length === 0) return null;
  const assignees = field.references.parse(found.flat());
  return { id: null, status: statusWord(entry['status']), assignees: assignees ?? [] };
}

/** Rust writes a variant that holds something as an object of one key. */
function statusWord(status: unknown): string | null {
  const text = isObject(status) ? Object.keys(status)[0] : status;
  return typeof text === 'string' ? field.normalizeWord(text) : null;
}
