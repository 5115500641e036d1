import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import {
  UnusableResponseError,
  expectObject,
  listIn,
  parseResponse,
  throwIfFailed,
} from '../responses/parse-response.js';
import type { ResponseLocation, RecordReader } from '../responses/record-reader.js';
import { isObject } from '../responses/is-object.js';
import { createTaskRecord, TaskList, type TaskRecord } from '../responses/task-list.js';

/** Status of an agent that has ended, and of a swarm that has ended. */
export const TERMINATED = 'terminated';

/** Limit requested from `task_list`, whose default is 50. */
export const MAX_TASKS = 1000;

const agentSchema = z.object({
  agentId: field.id,
  agentType: field.word,
  status: field.word,
  health: field.ratio,
  taskCount: field.count,
  createdAt: field.timestamp,
  // Only in the files of version 3.
  model: field.name,
  currentTask: field.reference,
  // Only in version 2.
  name: field.name,
  swarmId: field.reference,
  capabilities: field.capabilities,
  lastActive: field.timestamp,
});
export type ClaudeFlowAgent = z.output<typeof agentSchema>;

/** Renames the keys of version 2 to those of version 3. */
function normalizeAgent(entry: unknown): unknown {
  if (!isObject(entry)) return entry;
  return {
    ...entry,
    agentId: entry['agentId'] ?? entry['id'],
    agentType: entry['agentType'] ?? entry['type'],
    createdAt: entry['createdAt'] ?? entry['created'],
    // The short name of a model is a default if the record has a full id.
    model: entry['modelId'] ?? entry['model'],
  };
}

const daaAgentSchema = z.object({
  id: field.id,
  status: field.word,
  successRate: field.ratio,
  adaptations: field.count,
  // Only in the files.
  name: field.name,
  type: field.word,
  capabilities: field.capabilities,
  cognitivePattern: field.word,
  learningRate: field.ratio,
  createdAt: field.timestamp,
  lastActivity: field.timestamp,
});
export type ClaudeFlowDaaAgent = z.output<typeof daaAgentSchema>;

// `tasksCompleted` is omitted, because it counts failed executions too.
const workerSchema = z.object({ id: field.id, type: field.word, status: field.word });
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

const taskSchema = z.object({
  taskId: field.id,
  status: field.word,
  assignedTo: field.references,
  description: field.name,
  dependencies: field.references,
  createdAt: field.timestamp,
  // Not in the list.
  startedAt: field.timestamp,
  completedAt: field.timestamp,
});

function toTaskRecord(task: z.output<typeof taskSchema>): TaskRecord {
  const { taskId, status, assignedTo, description, dependencies, createdAt, startedAt, completedAt } = task;
  return createTaskRecord({
    id: taskId,
    status,
    assignees: assignedTo,
    title: description,
    dependsOn: dependencies,
    createdAt,
    startedAt,
    endedAt: completedAt,
  });
}

const swarmSchema = z.object({
  swarmId: field.id,
  status: field.word,
  topology: field.word,
  maxAgents: field.count,
  strategy: field.word,
  createdAt: field.timestamp,
  /** Native ids of the members. Null if the source does not report them. */
  agents: field.references,
  /** 1 if all agents are members. */
  totalSwarms: field.count,
  // Only in version 2.
  taskCount: field.count,
  completedTasks: field.count,
});
export type ClaudeFlowSwarm = z.output<typeof swarmSchema>;

/** Swarm of the agents that version 2 invents while it has none. */
const MOCK_SWARM = 'mock-swarm';

/** Returns whether a result of version 2 reports that no swarm exists yet. */
function hasNoSwarm(response: unknown): boolean {
  if (!isObject(response)) return false;
  const { success, error, swarmId } = response;
  return (
    swarmId === MOCK_SWARM || (success === false && /^no active swarm/i.test(typeof error === 'string' ? error : ''))
  );
}

/** Parses a list of agents of version 2 or 3. */
export function parseAgents(records: RecordReader, tool: string, response: unknown): ClaudeFlowAgent[] {
  if (hasNoSwarm(response)) return [];
  throwIfFailed(response);
  const entries = listIn(response, 'agents').map(normalizeAgent);
  return records.readAll({ tool, path: 'agents' }, agentSchema, entries, (agent) => agent.agentId);
}

export function parseAgent(records: RecordReader, location: ResponseLocation, entry: unknown): ClaudeFlowAgent | null {
  return records.read(location, agentSchema, normalizeAgent(entry));
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
  const entries = listIn(response, 'workers').map((worker) =>
    normalizeAgent(isObject(worker) ? { agentType, ...worker } : worker),
  );
  return records.readAll(location, agentSchema, entries, (agent) => agent.agentId);
}

export function parseDaaAgents(records: RecordReader, tool: string, response: unknown): ClaudeFlowDaaAgent[] {
  const agents = listIn(response, 'agents');
  return records.readAll({ tool, path: 'agents' }, daaAgentSchema, agents, (agent) => agent.id);
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

const storedHiveSchema = z.object({
  initialized: z.boolean(),
  topology: field.word,
  createdAt: field.timestamp,
  queen: z.object({ agentId: field.reference }).nullish(),
  workers: field.references,
});
/** Hive as its state file describes it. The records of the workers are in other files. */
export interface StoredHive extends Omit<Hive, 'workers'> {
  readonly workerIds: readonly string[];
}

/** Parses the state file of the hive. Returns null if there is no hive. */
export function parseStoredHive(
  records: RecordReader,
  location: ResponseLocation,
  content: unknown,
): StoredHive | null {
  const hive = records.read(location, storedHiveSchema, expectObject(content));
  if (hive === null) throw new UnusableResponseError('Unexpected content: initialized: missing');
  if (!hive.initialized) return null;
  const { topology, createdAt, queen, workers } = hive;
  return {
    // The server derives the id from the time of creation in the same way.
    nativeId: createdAt === null ? 'hive' : `hive-${Date.parse(createdAt)}`,
    status: 'active',
    topologyName: topology,
    createdAt,
    queen: queen?.agentId == null ? null : { nativeId: queen.agentId, status: 'active' },
    workerIds: workers ?? [],
  };
}

/** Parses the task list, which contains the newest tasks. */
export function parseTasks(records: RecordReader, response: unknown): TaskList {
  const tasks = listIn(response, 'tasks');
  return readTasks(records, { tool: 'task_list', path: 'tasks' }, tasks, tasks.length < MAX_TASKS);
}

/** @param isComplete whether the entries contain all tasks, unless there are more than are read */
export function readTasks(
  records: RecordReader,
  location: ResponseLocation,
  entries: readonly unknown[],
  isComplete: boolean,
): TaskList {
  const limited = records.limit(location, entries);
  const tasks = records.readAll(location, taskSchema, limited, (task) => task.taskId);
  // An unassigned task has no list of assignees.
  const assigned = tasks.map((task) => toTaskRecord({ ...task, assignedTo: task.assignedTo ?? [] }));
  return new TaskList(assigned, isComplete && limited.length === entries.length);
}

export function parseTask(records: RecordReader, location: ResponseLocation, entry: unknown): TaskRecord | null {
  const task = records.read(location, taskSchema, entry);
  return task === null ? null : toTaskRecord(task);
}

/** Properties of the swarm status of a server. */
export interface SwarmStatusOptions {
  /** Whether the only swarm contains all agents. Not true of real servers, whose agents may be older than the swarm. */
  readonly hasAllAgents: boolean;
  /** Whether swarms count their tasks. In version 3, the count is always 0, because it adds no tasks to swarms. */
  readonly countsTasks: boolean;
}

/** Parses the result of `swarm_status`. Returns an empty list if there is no swarm. */
export function parseSwarmStatus(
  records: RecordReader,
  response: unknown,
  { hasAllAgents, countsTasks }: SwarmStatusOptions,
): ClaudeFlowSwarm[] {
  if (hasNoSwarm(response)) return [];
  throwIfFailed(response);
  const object = expectObject(response);
  if (object['swarmId'] == null && object['totalSwarms'] === 0) return [];
  const swarm = parseSwarm(
    records,
    { tool: 'swarm_status', path: 'answer' },
    {
      ...object,
      agents: null,
      totalSwarms: hasAllAgents ? object['totalSwarms'] : null,
      ...(!countsTasks && NO_COUNTS),
    },
  );
  if (swarm === null) throw new UnusableResponseError('Unexpected response: swarmId: missing');
  return [swarm];
}

/** Parses a swarm with its `config`. */
function parseSwarm(
  records: RecordReader,
  location: ResponseLocation,
  entry: Readonly<Record<string, unknown>>,
): ClaudeFlowSwarm | null {
  return records.read(location, swarmSchema, withStrategy(entry));
}

/** Parses the swarms of a state file. */
export function parseStoredSwarms(
  records: RecordReader,
  location: ResponseLocation,
  entries: readonly unknown[],
): ClaudeFlowSwarm[] {
  const swarms = entries.map((entry) => (isObject(entry) ? { ...withStrategy(entry), ...NO_COUNTS } : entry));
  return records.readAll(location, swarmSchema, swarms, (swarm) => swarm.swarmId);
}

/** Counts of a swarm of version 3, which are always 0. */
const NO_COUNTS = { taskCount: null, completedTasks: null } as const;

function withStrategy(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { config } = entry;
  return { ...entry, strategy: entry['strategy'] ?? (isObject(config) ? config['strategy'] : null) };
}

/** Parses a created swarm. Its members are unknown. */
export function parseCreatedSwarm(
  records: RecordReader,
  location: ResponseLocation,
  response: unknown,
): ClaudeFlowSwarm | null {
  const { swarmId, topology, strategy, maxAgents, initializedAt } = expectObject(response);
  return records.read(location, swarmSchema, { swarmId, topology, strategy, maxAgents, createdAt: initializedAt });
}
