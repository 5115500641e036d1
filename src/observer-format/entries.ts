import { z } from 'zod';
import { OBSERVED_ACTIVITY_KINDS, OBSERVED_STATUSES, OBSERVED_TASK_STATUSES, OBSERVED_WAIT_REASONS } from './values.js';

const id = z.string().min(1);
const text = z.string().nullable();
/** RFC 3339, UTC. */
const time = z.iso.datetime().nullable();
const amount = z.number().min(0).nullable();
const count = z.int().min(0).nullable();

export const observedActivitySchema = z.object({
  kind: z.enum(OBSERVED_ACTIVITY_KINDS),
  label: text.describe('Name of the tool. Null if unknown.'),
  detail: text.describe('Text about the work. Null unless the observer shows all texts.'),
  since: time,
  waitingFor: z.enum(OBSERVED_WAIT_REASONS).nullable().describe('Null unless the agent waits for a person.'),
  inferred: z.boolean(),
});

export const observedUsageSchema = z.object({
  inputTokens: amount.describe('Without cached tokens.'),
  outputTokens: amount,
  cacheReadTokens: amount,
  cacheWriteTokens: amount,
  totalTokens: amount,
  costUsd: amount.describe('Null if unknown.'),
  costEstimated: z.boolean().describe('Whether the cost is computed from list prices.'),
  complete: z.boolean().describe('Whether the numbers include everything. Otherwise, they are lower limits.'),
});

export const observedContextSchema = z.object({
  usedTokens: amount,
  limitTokens: amount.describe('Size of the context window. Null if unknown.'),
  limitInferred: z.boolean().describe('Whether the size is derived from the name of the model.'),
});

export const observedAgentSchema = z.object({
  id,
  parentId: id.nullable().describe('Agent that started this one.'),
  swarmId: id.nullable(),
  name: z.string(),
  title: text.describe('Null unless the observer shows titles.'),
  type: z.string(),
  status: z.enum(OBSERVED_STATUSES),
  statusInferred: z.boolean(),
  error: text.describe('Code of the error of a failed agent.'),
  activity: observedActivitySchema.nullable().describe('Null if the agent does nothing or its work is unknown.'),
  backgroundAgents: count.describe('Number of background agents at work after the turn has ended.'),
  model: text,
  usage: observedUsageSchema.nullable().describe('Of the agent alone, without its children.'),
  context: observedContextSchema.nullable(),
  workspace: text.describe('Name of the project directory.'),
  createdAt: time,
  lastActiveAt: time,
});

export const observedSwarmSchema = z.object({
  id,
  kind: z.enum(['session', 'team']).describe('Session with its subagents, or team of agents.'),
  name: text,
  leadAgentId: id.nullable(),
  createdAt: time,
});

export const observedTaskSchema = z.object({
  id,
  swarmId: id.nullable(),
  title: text.describe('Null unless the observer shows titles.'),
  status: z.enum(OBSERVED_TASK_STATUSES),
  agentIds: z.array(id),
  dependsOnIds: z.array(id),
  createdAt: time,
  startedAt: time,
  endedAt: time,
});

export const observedMessageSchema = z.object({
  id,
  swarmId: id.nullable(),
  fromAgentId: id.nullable().describe('Null if a person sent the message or the sender is unknown.'),
  toAgentIds: z.array(id),
  sentAt: z.iso.datetime(),
  kind: text.describe('Kind of a message between programs, such as idle_notification.'),
  isRead: z.boolean().nullable(),
  text: text.describe('Null unless the observer shows all texts.'),
});

export type ObservedActivity = z.output<typeof observedActivitySchema>;
export type ObservedUsage = z.output<typeof observedUsageSchema>;
export type ObservedContext = z.output<typeof observedContextSchema>;
export type ObservedAgent = z.output<typeof observedAgentSchema>;
export type ObservedSwarm = z.output<typeof observedSwarmSchema>;
export type ObservedTask = z.output<typeof observedTaskSchema>;
export type ObservedMessage = z.output<typeof observedMessageSchema>;
