import { z } from 'zod';
import { observedAgentSchema, observedUsageSchema } from './entries.js';
import { OBSERVED_SOURCES, OBSERVER_FORMAT, OBSERVER_FORMAT_VERSION } from './values.js';

const header = {
  format: z.literal(OBSERVER_FORMAT),
  version: z.literal(OBSERVER_FORMAT_VERSION),
  source: z.enum(OBSERVED_SOURCES),
};

/**
 * Fields of each list. An answer with a `base` contains what has changed since that revision; without one, it contains all
 * entries, and those that it does not contain no longer exist.
 */
const list = {
  ...header,
  revision: z.string().min(1).describe('Pass it as `after` to receive only what changes later.'),
  base: z.string().min(1).nullable().describe('The `after` of the request. Null if the answer is complete.'),
};

/** Entries are parsed one by one, so that a malformed one does not hide the others. */
const entries = z.array(z.unknown());
const removedIds = z.array(z.string());

/** Number of inputs of one kind that the observer could not read. */
export const inputProblemSchema = z.object({ kind: z.string(), count: z.int().min(1) });
export type InputProblem = z.output<typeof inputProblemSchema>;

export const agentListSchema = z.object({
  ...list,
  agents: entries,
  removedAgentIds: removedIds,
  swarms: entries,
  removedSwarmIds: removedIds,
  problems: z.array(inputProblemSchema),
});

export const taskListSchema = z.object({ ...list, tasks: entries, removedTaskIds: removedIds });

export const messageListSchema = z.object({ ...list, messages: entries, removedMessageIds: removedIds });

export const agentDetailSchema = z.object({
  ...header,
  agent: observedAgentSchema,
  childIds: z.array(z.string()),
  taskIds: z.array(z.string()),
  subtreeUsage: observedUsageSchema.nullable().describe('Of the agent and all agents below it.'),
});

export type AgentList = z.output<typeof agentListSchema>;
export type TaskList = z.output<typeof taskListSchema>;
export type MessageList = z.output<typeof messageListSchema>;
export type AgentDetail = z.output<typeof agentDetailSchema>;
