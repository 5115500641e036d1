import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { UnusableResponseError, expectObject, parseResponse } from '../polled-tool.js';
import { isObject, type ResponseLocation, type RecordReader } from '../responses/record-reader.js';
import { TaskCounter, type TaskUpdate } from '../responses/task-counter.js';

/** Limit requested from `task_list`, whose default is 50. */
export const MAX_TASKS = 1000;

const agentSchema = z.object({
  agentId: field.id,
  agentType: field.word,
  status: field.word,
  health: field.ratio,
  taskCount: field.count,
  createdAt: field.timestamp,
});
export type ClaudeFlowAgent = z.output<typeof agentSchema>;

const daaAgentSchema = z.object({
  id: field.id,
  status: field.word,
  successRate: field.ratio,
  adaptations: field.count,
});
export type ClaudeFlowDaaAgent = z.output<typeof daaAgentSchema>;

const workerSchema = z.object({ id: field.id, type: field.word, status: field.word, tasksCompleted: field.count });
export type HiveWorker = z.output<typeof workerSchema>;

const queenSchema = z.object({ id: field.reference, status: field.word });

const hiveSchema = z.object({
  initialized: z.boolean(),
  hiveId: field.reference,
  status: field.word,
  topology: field.word,
  createdAt: field.timestamp,
  queen: z.unknown().optional(),
  workers: z.unknown().optional(),
});

export interface Hive {
  readonly nativeId: string;
  readonly status: string | null;
  readonly topologyName: string | null;
  readonly createdAt: string | null;
  readonly queen: { readonly nativeId: string; readonly status: string | null } | null;
  readonly workers: readonly HiveWorker[];
}

const taskSchema = z.object({ taskId: field.id, status: field.word, assignedTo: field.references });

const swarmSchema = z.object({
  totalSwarms: field.count,
  swarmId: field.reference,
  status: field.word,
  topology: field.word,
  maxAgents: field.count,
  strategy: field.word,
  createdAt: field.timestamp,
});
export type ClaudeFlowSwarm = z.output<typeof swarmSchema>;

export function parseAgents(records: RecordReader, response: unknown): ClaudeFlowAgent[] {
  const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), response);
  return records.readAll({ tool: 'agent_list', path: 'agents' }, agentSchema, agents, (agent) => agent.agentId);
}

export function parseAgent(records: RecordReader, location: ResponseLocation, entry: unknown): ClaudeFlowAgent | null {
  return records.read(location, agentSchema, entry);
}

/**
 * Parses the workers that one call spawned.
 * @param agentType common type, for entries without a type
 */
export function parseSpawnedAgents(
  records: RecordReader,
  location: ResponseLocation,
  response: unknown,
  agentType: string | null,
): ClaudeFlowAgent[] {
  const { workers } = parseResponse(z.object({ workers: z.array(z.unknown()) }), response);
  const entries = workers.map((worker) => (isObject(worker) ? { agentType, ...worker } : worker));
  return records.readAll(location, agentSchema, entries, (agent) => agent.agentId);
}

export function parseDaaAgents(records: RecordReader, response: unknown): ClaudeFlowDaaAgent[] {
  const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), response);
  return records.readAll({ tool: 'daa_learning_status', path: 'agents' }, daaAgentSchema, agents, (agent) => agent.id);
}

export function parseDaaAgent(
  records: RecordReader,
  location: ResponseLocation,
  entry: unknown,
): ClaudeFlowDaaAgent | null {
  return records.read(location, daaAgentSchema, entry);
}

/** Parses the status of the hive. Returns null if there is no hive. */
export function parseHive(records: RecordReader, response: unknown): Hive | null {
  const location = { tool: 'hive-mind_status', path: 'answer' };
  const hive = records.read(location, hiveSchema, expectObject(response));
  if (hive === null) throw new UnusableResponseError('Unexpected response: initialized: missing');
  if (!hive.initialized) return null;
  if (hive.hiveId === null) throw new UnusableResponseError('Unexpected response: hiveId: missing');
  const queen = hive.queen == null ? null : records.read({ ...location, path: 'queen' }, queenSchema, hive.queen);
  const workers = parseResponse(z.array(z.unknown()).nullish(), hive.workers) ?? [];
  return {
    nativeId: hive.hiveId,
    status: hive.status,
    topologyName: hive.topology,
    createdAt: hive.createdAt,
    // The tool reports `N/A` if there is no queen.
    queen: queen?.id == null || queen.id === 'N/A' ? null : { nativeId: queen.id, status: queen.status },
    workers: records.readAll({ ...location, path: 'workers' }, workerSchema, workers, (worker) => worker.id),
  };
}

/** Parses the task list. Returns null if it may be incomplete, because tasks cannot be counted then. */
export function parseTasks(records: RecordReader, response: unknown): TaskCounter | null {
  const { tasks } = parseResponse(z.object({ tasks: z.array(z.unknown()) }), response);
  if (tasks.length >= MAX_TASKS) return null;
  const parsed = records.readAll({ tool: 'task_list', path: 'tasks' }, taskSchema, tasks, (task) => task.taskId);
  return new TaskCounter(
    parsed.map(({ taskId, status, assignedTo }) => ({ id: taskId, status, assignees: assignedTo ?? [] })),
  );
}

export function parseTask(records: RecordReader, location: ResponseLocation, entry: unknown): TaskUpdate | null {
  const task = records.read(location, taskSchema, entry);
  return task === null ? null : { id: task.taskId, status: task.status, assignees: task.assignedTo };
}

/** Parses the status of a swarm. Omits `taskCount`, which is always 0 because claude-flow adds no tasks to swarms. */
export function parseSwarm(records: RecordReader, response: unknown): ClaudeFlowSwarm {
  const object = expectObject(response);
  const config = object['config'];
  const strategy = isObject(config) ? config['strategy'] : null;
  const swarm = records.read({ tool: 'swarm_status', path: 'answer' }, swarmSchema, { ...object, strategy });
  if (swarm === null || (swarm.swarmId === null && swarm.totalSwarms !== 0)) {
    throw new UnusableResponseError('Unexpected response: swarmId: missing');
  }
  return swarm;
}

/** Parses a created swarm. The number of swarms is then unknown, and so are the members of this one. */
export function parseCreatedSwarm(
  records: RecordReader,
  location: ResponseLocation,
  response: unknown,
): ClaudeFlowSwarm | null {
  const { swarmId, topology, strategy, maxAgents, initializedAt } = expectObject(response);
  const entry = { swarmId, topology, strategy, maxAgents, createdAt: initializedAt };
  const swarm = records.read(location, swarmSchema, entry);
  if (swarm !== null && swarm.swarmId === null)
    throw new UnusableResponseError('Unexpected response: swarmId: missing');
  return swarm;
}
