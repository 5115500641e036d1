import { z } from 'zod';
import { OBSERVED_ACTIVITY_KINDS, OBSERVED_STATUSES, OBSERVED_TASK_STATUSES, OBSERVED_WAIT_REASONS } from './values.js';

const id = z.string().min(1);
/** A value that is missing is unknown, as null. */
const text = z.string().nullable().default(null);
/** RFC 3339, UTC. */
const time = z.iso.datetime().nullable().default(null);
const amount = z.number().min(0).nullable().default(null);
const count = z.int().min(0).nullable().default(null);
const reference = id.nullable().default(null);
const references = z.array(id).default([]);
const flag = z.boolean().default(false);

export const observedActivitySchema = z.object({
  kind: z.enum(OBSERVED_ACTIVITY_KINDS),
  label: text.describe('Name of the tool. Null if unknown.'),
  detail: text.describe('Text about the work. Null unless the observer shows all texts.'),
  since: time,
  waitingFor: z
    .enum(OBSERVED_WAIT_REASONS)
    .nullable()
    .default(null)
    .describe('Null unless the agent waits for a person.'),
  inferred: flag,
});

export const observedUsageSchema = z.object({
  inputTokens: amount.describe('Without cached tokens.'),
  outputTokens: amount,
  cacheReadTokens: amount,
  cacheWriteTokens: amount,
  totalTokens: amount,
  costUsd: amount.describe('Null if unknown.'),
  costEstimated: flag.describe('Whether the cost is computed from list prices.'),
  complete: flag.describe('Whether the numbers include everything. Otherwise, they are lower limits.'),
});

export const observedContextSchema = z.object({
  usedTokens: amount,
  limitTokens: amount.describe('Size of the context window. Null if unknown.'),
  limitInferred: flag.describe('Whether the size is derived from the name of the model.'),
});

export const observedAgentSchema = z.object({
  id,
  parentId: reference.describe('Agent that started this one.'),
  swarmId: reference,
  name: z.string().min(1),
  title: text.describe('Null unless the observer shows titles.'),
  type: z.string().min(1).default('unknown'),
  status: z.enum(OBSERVED_STATUSES).default('unknown'),
  statusInferred: flag,
  error: text.describe('Code of the error of a failed agent.'),
  activity: observedActivitySchema
    .nullable()
    .default(null)
    .describe('Null if the agent does nothing or its work is unknown.'),
  backgroundAgents: count.describe('Number of background agents at work after the turn has ended.'),
  model: text,
  usage: observedUsageSchema.nullable().default(null).describe('Of the agent alone, without its children.'),
  context: observedContextSchema.nullable().default(null),
  workspace: text.describe('Name of the project directory.'),
  createdAt: time,
  lastActiveAt: time,
});

export const observedSwarmSchema = z.object({
  id,
  kind: z.enum(['session', 'team']).describe('Session with its subagents, or team of agents.'),
  name: text,
  leadAgentId: reference,
  processKey: text.describe('Hash of the machine and the running process of the session. Null if unknown.'),
  directoryKey: text.describe('Hash of the machine and the directory of the session. Null if unknown.'),
  createdAt: time,
});

export const observedTaskSchema = z.object({
  id,
  swarmId: reference,
  title: text.describe('Null unless the observer shows titles.'),
  status: z.enum(OBSERVED_TASK_STATUSES).default('unknown'),
  agentIds: references,
  dependsOnIds: references,
  createdAt: time,
  startedAt: time,
  endedAt: time,
});

export const observedMessageSchema = z.object({
  id,
  swarmId: reference,
  fromAgentId: reference.describe('Null if a person sent the message or the sender is unknown.'),
  toAgentIds: references,
  sentAt: z.iso.datetime(),
  kind: text.describe('Kind of a message between programs, such as idle_notification.'),
  isRead: z.boolean().nullable().default(null),
  text: text.describe('Null unless the observer shows all texts.'),
});

export type ObservedActivity = z.output<typeof observedActivitySchema>;
export type ObservedUsage = z.output<typeof observedUsageSchema>;
export type ObservedContext = z.output<typeof observedContextSchema>;
export type ObservedAgent = z.output<typeof observedAgentSchema>;
export type ObservedSwarm = z.output<typeof observedSwarmSchema>;
export type ObservedTask = z.output<typeof observedTaskSchema>;
export type ObservedMessage = z.output<typeof observedMessageSchema>;
