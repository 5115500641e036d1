import { z } from 'zod';
import {
  ACTIVITY_KINDS,
  type Agent,
  AGENT_STATUSES,
  CIRCUIT_STATES,
  mapNeuralFields,
  mapPerformanceFields,
  MCP_SERVER_TYPES,
  type McpServer,
  NOTICE_SEVERITIES,
  SERVER_STATUSES,
  type ServerHealth,
  type Swarm,
  type SwarmlensEvent,
  type Task,
  TASK_STATUSES,
  TOPOLOGY_KINDS,
  type TopologyEdge,
  TRANSPORT_KINDS,
  WAIT_REASONS,
} from '../model/index.js';
import { listOf, textListSchema } from '../shared/index.js';

// Data from other nodes is validated like all outside data, because a node may run another version.

const nullableText = z.string().nullable();
const nullableNumber = z.number().nullable();

export const agentSchema: z.ZodType<Agent> = z.object({
  id: z.string(),
  nativeId: z.string(),
  serverId: z.string(),
  serverType: z.enum(MCP_SERVER_TYPES),
  swarmId: nullableText,
  name: z.string(),
  type: z.string(),
  status: z.enum(AGENT_STATUSES),
  capabilities: textListSchema,
  // Nodes of earlier versions do not send these.
  model: nullableText.default(null),
  currentTaskId: nullableText.default(null),
  parentId: nullableText.default(null),
  title: nullableText.default(null),
  workspace: nullableText.default(null),
  activity: z
    .object({
      kind: z.enum(ACTIVITY_KINDS),
      label: nullableText,
      detail: nullableText,
      since: nullableText,
      waitingFor: z.enum(WAIT_REASONS).nullable(),
      inferred: z.boolean(),
    })
    .nullable()
    .default(null),
  usage: z
    .object({
      inputTokens: nullableNumber,
      outputTokens: nullableNumber,
      cacheReadTokens: nullableNumber,
      cacheWriteTokens: nullableNumber,
      totalTokens: nullableNumber,
      costUsd: nullableNumber,
      costEstimated: z.boolean(),
      complete: z.boolean(),
    })
    .nullable()
    .default(null),
  context: z
    .object({ usedTokens: nullableNumber, limitTokens: nullableNumber, usedRatio: nullableNumber })
    .nullable()
    .default(null),
  performance: z.object(mapPerformanceFields(() => nullableNumber)).nullable(),
  neural: z
    .object(
      mapNeuralFields(
        () => nullableText,
        () => nullableNumber,
      ),
    )
    .nullable(),
  topology: z
    .object({
      role: nullableText,
      parentId: nullableText,
      depth: nullableNumber,
      degree: z.number(),
      inferred: z.boolean(),
    })
    .nullable(),
  stale: z.boolean(),
  simulated: z.boolean(),
  createdAt: nullableText,
  lastActiveAt: nullableText,
  lastSeenAt: z.string(),
});

export const serverSchema: z.ZodType<McpServer> = z.object({
  id: z.string(),
  type: z.enum(MCP_SERVER_TYPES),
  agentServerTypes: listOf(z.enum(MCP_SERVER_TYPES)),
  name: z.string(),
  version: nullableText,
  transport: z.enum(TRANSPORT_KINDS),
  status: z.enum(SERVER_STATUSES),
  tools: textListSchema,
  stale: z.boolean(),
  staleSince: nullableText,
  simulated: z.boolean(),
  connectedAt: nullableText,
  lastError: nullableText,
  // Omitted by nodes of earlier versions, and if it is unknown.
  origin: z.object({ processKeys: textListSchema.nullable(), directoryKey: z.string() }).optional(),
});

export const swarmSchema: z.ZodType<Swarm> = z.object({
  id: z.string(),
  nativeId: z.string(),
  serverId: z.string(),
  serverType: z.enum(MCP_SERVER_TYPES),
  name: nullableText,
  status: nullableText,
  topologyName: nullableText,
  topology: z.enum(TOPOLOGY_KINDS).nullable(),
  strategy: nullableText,
  maxAgents: nullableNumber,
  tasksTotal: nullableNumber,
  tasksActive: nullableNumber,
  tasksCompleted: nullableNumber,
  stale: z.boolean(),
  createdAt: nullableText,
  // Omitted by nodes of earlier versions, and for swarms of other servers than observers.
  session: z.object({ agentId: z.string(), processKey: nullableText, directoryKey: nullableText }).optional(),
});

export const edgeSchema: z.ZodType<TopologyEdge> = z.object({
  id: z.string(),
  serverId: z.string(),
  swarmId: z.string(),
  from: z.string(),
  to: z.string(),
  relation: z.string(),
  inferred: z.boolean(),
});

export const taskSchema: z.ZodType<Task> = z.object({
  id: z.string(),
  nativeId: z.string(),
  serverId: z.string(),
  serverType: z.enum(MCP_SERVER_TYPES),
  swarmId: nullableText,
  title: nullableText,
  status: z.enum(TASK_STATUSES),
  agentIds: textListSchema,
  dependsOnIds: textListSchema,
  createdAt: nullableText,
  startedAt: nullableText,
  endedAt: nullableText,
  stale: z.boolean(),
});

export const eventSchema: z.ZodType<SwarmlensEvent> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('notice'),
    code: z.string(),
    severity: z.enum(NOTICE_SEVERITIES),
    message: z.string(),
    serverId: nullableText,
    timestamp: z.string(),
  }),
  z.object({
    type: z.literal('health'),
    serverId: z.string(),
    replicaId: nullableText,
    previousStatus: z.enum(SERVER_STATUSES),
    status: z.enum(SERVER_STATUSES),
    previousCircuitState: z.enum(CIRCUIT_STATES),
    circuitState: z.enum(CIRCUIT_STATES),
    reason: nullableText,
    timestamp: z.string(),
  }),
  z.object({
    type: z.literal('message'),
    id: z.string(),
    serverId: z.string(),
    serverType: z.enum(MCP_SERVER_TYPES),
    swarmId: nullableText,
    fromAgentId: nullableText,
    toAgentIds: textListSchema,
    sentAt: z.string(),
    text: nullableText,
  }),
]);

const latencySchema = z.object({ p50Ms: nullableNumber, p95Ms: nullableNumber, p99Ms: nullableNumber });
const breakerSchema = z.object({
  state: z.enum(CIRCUIT_STATES),
  consecutiveFailures: z.number(),
  openedAt: nullableText,
  retryAt: nullableText,
});

const healthSchema: z.ZodType<ServerHealth> = z.object({
  circuitBreaker: breakerSchema,
  latency: latencySchema,
  inFlight: z.number(),
  calls: z.number(),
  failures: z.number(),
  rejectedEntries: z.number(),
  polling: z.object({
    wantedHz: z.number(),
    effectiveHz: nullableNumber,
    timeShare: nullableNumber,
    maxTimeShare: z.number(),
  }),
  replicas: listOf(
    z.object({
      id: z.string(),
      status: z.enum(SERVER_STATUSES),
      inUse: z.boolean(),
      inFlight: z.number(),
      latency: latencySchema,
      circuitBreaker: breakerSchema,
      lastError: nullableText,
      // Nodes of an earlier version do not send these.
      connects: z.number().default(0),
      connectionFailures: z.number().default(0),
      restarts: z.number(),
      lastAnsweredAt: nullableText,
      lastProbedAt: nullableText,
    }),
  ),
  tools: listOf(
    z.object({
      name: z.string(),
      calls: z.number(),
      failures: z.number(),
      consecutiveFailures: z.number(),
      lastError: nullableText,
      lastFailedAt: nullableText,
      latency: latencySchema,
    }),
  ),
});

/** Parses the health that another node measured. Null if there is none, or if it is invalid. */
export function parseServerHealth(json: string | undefined): ServerHealth | null {
  if (json === undefined) return null;
  try {
    return healthSchema.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
