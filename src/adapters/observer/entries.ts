import {
  observedActivitySchema,
  observedAgentSchema,
  observedMessageSchema,
  observedSwarmSchema,
  observedTaskSchema,
} from '../../observer-format/index.js';
import type { z } from 'zod';
import * as field from '../responses/value-schemas.js';

/**
 * Entries of the observer format with bounded texts, because any server can claim to be an observer.
 */
export const agentSchema = observedAgentSchema.extend({
  id: field.id,
  parentId: field.reference,
  swarmId: field.reference,
  name: field.name,
  title: field.name,
  type: field.word,
  activity: observedActivitySchema
    .extend({ label: field.name, detail: field.name, since: field.timestamp })
    .nullable()
    .default(null),
  model: field.name,
  workspace: field.name,
  createdAt: field.timestamp,
  lastActiveAt: field.timestamp,
});

export const swarmSchema = observedSwarmSchema.extend({
  id: field.id,
  name: field.name,
  leadAgentId: field.reference,
  processKey: field.reference,
  directoryKey: field.reference,
  createdAt: field.timestamp,
});

const ids = field.references.transform((list) => list ?? []);

export const taskSchema = observedTaskSchema.extend({
  id: field.id,
  swarmId: field.reference,
  title: field.name,
  agentIds: ids,
  dependsOnIds: ids,
  createdAt: field.timestamp,
  startedAt: field.timestamp,
  endedAt: field.timestamp,
});

export const messageSchema = observedMessageSchema.extend({
  id: field.id,
  swarmId: field.reference,
  fromAgentId: field.reference,
  toAgentIds: ids,
  sentAt: field.timestamp,
  kind: field.name,
  text: field.name,
});

export type AgentEntry = z.output<typeof agentSchema>;
export type SwarmEntry = z.output<typeof swarmSchema>;
export type TaskEntry = z.output<typeof taskSchema>;
export type MessageEntry = z.output<typeof messageSchema>;
