import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { UnusableResponseError, expectObject, parseResponse } from '../polled-tool.js';
import { isObject, type ResponseLocation, type RecordReader } from '../responses/record-reader.js';
import { TaskCounter, type TaskUpdate } from '../responses/task-counter.js';

/** The tool answers with its 50 newest unless told otherwise. */
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

export function parseAgents(records: RecordReader, answer: unknown): ClaudeFlowAgent[] {
  const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), answer);
  return records.readAll({ tool: 'agent_list', path: 'agents' }, agentSchema, agents, (one) => one.agentId);
}

export function parseAgent(records: RecordReader, place: ResponseLocation, entry: unknown): ClaudeFlowAgent | null {
  return records.read(place, agentSchema, entry);
}

/** @param agentType of those that were born together, where their entries do not say it themselves */
export function parseSpawnedAgents(
  records: RecordReader,
  place: ResponseLocation,
  answer: unknown,
  agentType: string | null,
): ClaudeFlowAgent[] {
  const { workers } = parseResponse(z.object({ workers: z.array(z.unknown()) }), answer);
  const entries = workers.map((worker) => (isObject(worker) ? { agentType, ...worker } : worker));
  return records.readAll(place, agentSchema, entries, (one) => one.agentId);
}

export function parseDaaAgents(records: RecordReader, answer: unknown): ClaudeFlowDaaAgent[] {
  const { agents } = parseResponse(z.object({ agents: z.array(z.unknown()) }), answer);
  return records.readAll({ tool: 'daa_learning_status', path: 'agents' }, daaAgentSchema, agents, (one) => one.id);
}

export function parseDaaAgent(
  records: RecordReader,
  place: ResponseLocation,
  entry: unknown,
): ClaudeFlowDaaAgent | null {
  return records.read(place, daaAgentSchema, entry);
}

/** @returns `null` when there is no hive */
export function parseHive(records: RecordReader, answer: unknown): Hive | null {
  const place = { tool: 'hive-mind_status', path: 'answer' };
  const hive = records.read(place, hiveSchema, expectObject(answer));
  if (hive === null) throw new UnusableResponseError('Unexpected answer: it does not say whether there is a hive');
  if (!hive.initialized) return null;
  if (hive.hiveId === null) throw new UnusableResponseError('Unexpected answer: hiveId: missing');
  const queen = hive.queen == null ? null : records.read({ ...place, path: 'queen' }, queenSchema, hive.queen);
  const workers = parseResponse(z.array(z.unknown()).nullish(), hive.workers) ?? [];
  return {
    nativeId: hive.hiveId,
    status: hive.status,
    topologyName: hive.topology,
    createdAt: hive.createdAt,
    // This is how the tool writes that there is no queen.
    queen: queen?.id == null || queen.id === 'N/A' ? null : { nativeId: queen.id, status: queen.status },
    workers: records.readAll({ ...place, path: 'workers' }, workerSchema, workers, (one) => one.id),
  };
}

/** @returns `null` when the list may not be complete: then nothing can be counted */
export function parseTasks(records: RecordReader, answer: unknown): TaskCounter | null {
  const { tasks } = parseResponse(z.object({ tasks: z.array(z.unknown()) }), answer);
  if (tasks.length >= MAX_TASKS) return null;
  const read = records.readAll({ tool: 'task_list', path: 'tasks' }, taskSchema, tasks, (one) => one.taskId);
  return new TaskCounter(
    read.map(({ taskId, status, assignedTo }) => ({ id: taskId, status, assignees: assignedTo ?? [] })),
  );
}

export function parseTask(records: RecordReader, place: ResponseLocation, entry: unknown): TaskUpdate | null {
  const task = records.read(place, taskSchema, entry);
  return task === null ? null : { id: task.taskId, status: task.status, assignees: task.assignedTo };
}

/** Its `taskCount` is left out: nothing in claude-flow ever adds a task to a swarm, so it is always 0. */
export function parseSwarm(records: RecordReader, answer: unknown): ClaudeFlowSwarm {
  const whole = expectObject(answer);
  const config = whole['config'];
  const strategy = isObject(config) ? config['strategy'] : null;
  const swarm = records.read({ tool: 'swarm_status', path: 'answer' }, swarmSchema, { ...whole, strategy });
  if (swarm === null || (swarm.swarmId === null && swarm.totalSwarms !== 0)) {
    throw new UnusableResponseError('Unexpected answer: neither a swarm nor none');
  }
  return swarm;
}

/** The swarm that was begun last. How many there are with it is not told, and so not who belongs to it. */
export function parseCreatedSwarm(
  records: RecordReader,
  place: ResponseLocation,
  answer: unknown,
): ClaudeFlowSwarm | null {
  const { swarmId, topology, strategy, maxAgents, initializedAt } = expectObject(answer);
  const entry = { swarmId, topology, strategy, maxAgents, createdAt: initializedAt };
  const swarm = records.read(place, swarmSchema, entry);
  if (swarm !== null && swarm.swarmId === null) throw new UnusableResponseError('Unexpected answer: swarmId: missing');
  return swarm;
}
