import { z } from 'zod';
import type { McpServerType, ReportedAgent, ServerReport } from '../../model/index.js';
import type { Adapter, AdapterContext } from '../adapter.js';
import * as field from '../responses/value-schemas.js';
import { collectProblems, PolledTool, TEN_HZ_INTERVAL_MS } from '../polled-tool.js';
import { listIn } from '../responses/parse-response.js';
import { RecordReader } from '../responses/record-reader.js';
import { isObject } from '../responses/is-object.js';
import { toPerformance, createReportedAgent } from '../responses/report-builders.js';
import { parseAgentStatus } from '../responses/agent-status.js';
import { createTaskRecord, TaskList, type TaskRecord } from '../responses/task-list.js';

const agentSchema = z.object({
  id: field.id,
  name: field.name,
  agent_type: field.word,
  status: field.word,
  capabilities: field.capabilities,
  created_at: field.timestamp,
  last_seen: field.timestamp,
});

const taskSchema = z.object({
  id: field.reference,
  description: field.name,
  dependencies: field.references,
  created_at: field.timestamp,
});

const resultSchema = z.object({ started_at: field.timestamp, completed_at: field.timestamp });

const totalSchema = z.object({ total_count: z.unknown().optional() });

/** Polls the DAA project's own server. Reports no swarms, because its agents do not belong to any. */
export class DaaAdapter implements Adapter {
  readonly type = 'DAA';
  readonly agentServerTypes: readonly McpServerType[] = ['DAA'];
  readonly #records: RecordReader;
  readonly #agents: PolledTool<z.output<typeof agentSchema>[]>;
  readonly #tasks: PolledTool<TaskList>;

  constructor(context: AdapterContext) {
    this.#records = new RecordReader(context);
    this.#agents = new PolledTool(context, {
      tool: 'list_agents',
      records: this.#records,
      minIntervalMs: 0,
      isMain: true,
      read: (response) => {
        const location = { tool: 'list_agents', path: 'agents' };
        return this.#records.readAll(location, agentSchema, listIn(response, 'agents'), (agent) => agent.id);
      },
    });
    this.#tasks = new PolledTool(context, {
      tool: 'list_tasks',
      records: this.#records,
      minIntervalMs: TEN_HZ_INTERVAL_MS,
      read: (response) => {
        const tasks = listIn(response, 'tasks');
        const { total_count } = totalSchema.safeParse(response).data ?? {};
        const listed = this.#records.limit({ tool: 'list_tasks', path: 'tasks' }, tasks);
        const isComplete =
          listed.length === tasks.length && !(typeof total_count === 'number' && total_count > tasks.length);
        return this.#readTasks(listed, isComplete);
      },
    });
  }

  get rejectedCount(): number {
    return this.#records.rejectedCount;
  }

  get lastRejection(): string | null {
    return this.#records.lastRejection;
  }

  /** Returns null: the server is reached over the network only, where no taps exist. */
  observe(): ServerReport | null {
    return null;
  }

  async poll(signal: AbortSignal): Promise<ServerReport> {
    // If the agent list fails, the server is unreachable and the other call is unnecessary.
    await this.#agents.refresh(signal);
    await this.#tasks.refresh(signal);
    const stale = this.#agents.failure !== null;
    const agents = (this.#agents.lastGood ?? []).map((agent): ReportedAgent => {
      const tasks = this.#tasks.current?.countsFor(agent.id);
      return createReportedAgent({
        nativeId: agent.id,
        serverType: 'DAA',
        name: agent.name ?? agent.id,
        type: agent.agent_type ?? 'unknown',
        status: parseAgentStatus(agent.status),
        capabilities: agent.capabilities,
        performance: toPerformance({
          tasksActive: tasks?.active ?? null,
          tasksCompleted: tasks?.completed ?? null,
          tasksFailed: tasks?.failed ?? null,
        }),
        createdAt: agent.created_at,
        lastActiveAt: agent.last_seen,
        stale,
      });
    });
    const tasks = this.#tasks.lastGood?.report('DAA', this.#tasks.failure !== null);
    return {
      agents,
      swarms: [],
      edges: [],
      ...(tasks !== undefined && { tasks }),
      ...collectProblems([this.#agents, this.#tasks]),
    };
  }

  /** Reads tasks. Nothing can be counted if no task has a field with assignees. */
  #readTasks(entries: readonly unknown[], isComplete: boolean): TaskList {
    const ids = new Set<string>();
    const tasks = entries.filter(isObject).map((entry) => {
      const task = this.#readTask(entry);
      const isDuplicate = task.id !== null && ids.has(task.id);
      if (task.id !== null) ids.add(task.id);
      return isDuplicate ? { ...task, id: null } : task;
    });
    const areAssigned = tasks.length === 0 || tasks.some(({ assignees }) => assignees !== null);
    return new TaskList(tasks, isComplete && areAssigned);
  }

  #readTask(entry: Readonly<Record<string, unknown>>): TaskRecord {
    const location = { tool: 'list_tasks', path: 'tasks' };
    const definition = isObject(entry['task']) ? entry['task'] : entry;
    const task = this.#records.read(location, taskSchema, {
      ...definition,
      id: definition['id'] ?? definition['task_id'],
    });
    const result = this.#records.read(location, resultSchema, isObject(entry['result']) ? entry['result'] : {});
    return createTaskRecord({
      id: task?.id ?? null,
      status: toStatusWord(entry['status']),
      assignees: findAssignees(entry),
      title: task?.description ?? null,
      dependsOn: task?.dependencies ?? null,
      createdAt: task?.created_at ?? null,
      startedAt: result?.started_at ?? null,
      endedAt: result?.completed_at ?? null,
    });
  }
}

const ASSIGNEE_KEYS = ['assigned_agents', 'assigned_to', 'assigned_agent', 'agent_ids', 'agent_id'];

/** Finds the assignees in an entry, its task or its result. Returns null if none of them has such a field. */
function findAssignees(entry: Readonly<Record<string, unknown>>): readonly string[] | null {
  const candidates = [entry['task'], entry['result'], entry].filter(isObject);
  const found = candidates.flatMap((candidate) =>
    ASSIGNEE_KEYS.filter((key) => Object.hasOwn(candidate, key)).map((key) => candidate[key]),
  );
  return found.length === 0 ? null : (field.references.parse(found.flat()) ?? []);
}

/** Normalizes a status. Rust serializes an enum variant with data as an object with one key. */
function toStatusWord(status: unknown): string | null {
  const text = isObject(status) ? Object.keys(status)[0] : status;
  return typeof text === 'string' ? field.normalizeWord(text) : null;
}
