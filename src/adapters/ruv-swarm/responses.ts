import { z } from 'zod';
import * as field from '../responses/value-schemas.js';
import { listIn } from '../responses/parse-response.js';
import type { ResponseLocation, RecordReader } from '../responses/record-reader.js';
import { isObject } from '../responses/is-object.js';
import { createTaskRecord, TaskList, type TaskRecord } from '../responses/task-list.js';

const agentSchema = z.object({
  id: field.id,
  name: field.name,
  type: field.word,
  status: field.word,
  cognitive_pattern: field.word,
  capabilities: field.capabilities,
  neural_network_id: field.reference,
});
export type RuvSwarmAgent = z.output<typeof agentSchema>;

const swarmSchema = z.object({
  id: field.id,
  agents: z.object({ total: field.count }).nullish(),
  tasks: z.object({ total: field.count, in_progress: field.count, completed: field.count }).nullish(),
});
export type RuvSwarmStatus = z.output<typeof swarmSchema>;

const taskSchema = z.object({
  id: field.id,
  status: field.word,
  assignedAgents: field.references,
  // Only the creating call reports these.
  description: field.name,
  swarmId: field.reference,
});

export function parseAgents(records: RecordReader, response: unknown): RuvSwarmAgent[] {
  const agents = listIn(response, 'agents');
  return records.readAll({ tool: 'agent_list', path: 'agents' }, agentSchema, agents, (agent) => agent.id);
}

export function parseAgent(records: RecordReader, location: ResponseLocation, entry: unknown): RuvSwarmAgent | null {
  return records.read(location, agentSchema, entry);
}

/** Parses the swarms, whose entries have the form `{ id, status: { agents, tasks } }`. */
export function parseSwarms(records: RecordReader, response: unknown): RuvSwarmStatus[] {
  const flat = listIn(response, 'swarms').map((swarm) => {
    if (!isObject(swarm)) return swarm;
    const { id, status } = swarm;
    return isObject(status) ? { ...status, id } : { id };
  });
  return records.readAll({ tool: 'swarm_status', path: 'swarms' }, swarmSchema, flat, (swarm) => swarm.id);
}

export function parseSwarm(records: RecordReader, location: ResponseLocation, entry: unknown): RuvSwarmStatus | null {
  return records.read(location, swarmSchema, entry);
}

export function parseTasks(records: RecordReader, response: unknown): TaskList {
  const location = { tool: 'task_status', path: 'tasks' };
  const tasks = listIn(response, 'tasks');
  const limited = records.limit(location, tasks);
  const parsed = records.readAll(location, taskSchema, limited, (task) => task.id);
  return new TaskList(
    parsed.map((task) => toTaskRecord({ ...task, assignedAgents: task.assignedAgents ?? [] })),
    limited.length === tasks.length,
  );
}

export function parseTask(records: RecordReader, location: ResponseLocation, entry: unknown): TaskRecord | null {
  const task = records.read(location, taskSchema, entry);
  return task === null ? null : toTaskRecord(task);
}

function toTaskRecord({ id, status, assignedAgents, description, swarmId }: z.output<typeof taskSchema>): TaskRecord {
  return createTaskRecord({ id, status, assignees: assignedAgents, title: description, swarmId });
}
