import { z } from 'zod';
import * as field from './fields.js';
import { readAnswer } from './lanes.js';
import { isObject, type Place, type RecordReader } from './records.js';
import { TaskTally, type ToldTask } from './tasks.js';

const agentSchema = z.object({
  id: field.id,
  name: field.name,
  type: field.word,
  status: field.word,
  cognitive_pattern: field.word,
  capabilities: field.capabilities,
  neural_network_id: field.reference,
});
export type RuvAgent = z.output<typeof agentSchema>;

const swarmSchema = z.object({
  id: field.id,
  agents: z.object({ total: field.count }).nullish(),
  tasks: z.object({ total: field.count, in_progress: field.count, completed: field.count }).nullish(),
});
export type RuvSwarm = z.output<typeof swarmSchema>;

const taskSchema = z.object({ id: field.id, status: field.word, assignedAgents: field.references });

export function readAgents(records: RecordReader, answer: unknown): RuvAgent[] {
  const { agents } = readAnswer(z.object({ agents: z.array(z.unknown()) }), answer);
  return records.readAll({ tool: 'agent_list', path: 'agents' }, agentSchema, agents, (one) => one.id);
}

export function readAgent(records: RecordReader, place: Place, entry: unknown): RuvAgent | null {
  return records.read(place, agentSchema, entry);
}

/** Each entry is `{ id, status: { agents, tasks } }`; of a swarm, only the counts in `status` are told. */
export function readSwarms(records: RecordReader, answer: unknown): RuvSwarm[] {
  const { swarms } = readAnswer(z.object({ swarms: z.array(z.unknown()) }), answer);
  const flat = swarms.map((swarm) => {
    if (!isObject(swarm)) return swarm;
    const { id, status } = swarm;
    return isObject(status) ? { ...status, id } : { id };
  });
  return records.readAll({ tool: 'swarm_status', path: 'swarms' }, swarmSchema, flat, (one) => one.id);
}

export function readSwarm(records: RecordReader, place: Place, entry: unknown): RuvSwarm | null {
  return records.read(place, swarmSchema, entry);
}

export function readTasks(records: RecordReader, answer: unknown): TaskTally {
  const { tasks } = readAnswer(z.object({ tasks: z.array(z.unknown()) }), answer);
  const read = records.readAll({ tool: 'task_status', path: 'tasks' }, taskSchema, tasks, (one) => one.id);
  return new TaskTally(read.map(({ id, status, assignedAgents }) => ({ id, status, assignees: assignedAgents ?? [] })));
}

export function readTask(records: RecordReader, place: Place, entry: unknown): ToldTask | null {
  const task = records.read(place, taskSchema, entry);
  return task === null ? null : { id: task.id, status: task.status, assignees: task.assignedAgents };
}
