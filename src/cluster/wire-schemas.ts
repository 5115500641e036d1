import { z } from 'zod';
import {
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
  TOPOLOGY_KINDS,
  type TopologyEdge,
  TRANSPORT_KINDS,
} from '../model/index.js';

/** What other nodes say is looked at like everything that comes from outside: one of another version may be among them. */

const TEXT = z.string().nullable();
const NUMBER = z.number().nullable();

export const agentSchema: z.ZodType<Agent> = z.object({
  id: z.string(),
  nativeId: z.string(),
  serverId: z.string(),
  serverType: z.enum(MCP_SERVER_TYPES),
  swarmId: TEXT,
  name: z.string(),
  type: z.string(),
  status: z.enum(AGENT_STATUSES),
  capabilities: z.array(z.string()),
  performance: z.object(mapPerformanceFields(() => NUMBER)).nullable(),
  neural: z
    .object(
      mapNeuralFields(
        () => TEXT,
        () => NUMBER,
      ),
    )
    .nullable(),
  topology: z
    .object({ role: TEXT, parentId: TEXT, depth: NUMBER, degree: z.number(), inferred: z.boolean() })
    .nullable(),
  stale: z.boolean(),
  simulated: z.boolean(),
  createdAt: TEXT,
  lastActiveAt: TEXT,
  lastSeenAt: z.string(),
});

export const serverSchema: z.ZodType<McpServer> = z.object({
  id: z.string(),
  type: z.enum(MCP_SERVER_TYPES),
  agentServerTypes: z.array(z.enum(MCP_SERVER_TYPES)),
  name: z.string(),
  version: TEXT,
  transport: z.enum(TRANSPORT_KINDS),
  status: z.enum(SERVER_STATUSES),
  tools: z.array(z.string()),
  stale: z.boolean(),
  staleSince: TEXT,
  simulated: z.boolean(),
  connectedAt: TEXT,
  lastError: TEXT,
});

export const swarmSchema: z.ZodType<Swarm> = z.object({
  id: z.string(),
  nativeId: z.string(),
  serverId: z.string(),
  serverType: z.enum(MCP_SERVER_TYPES),
  name: TEXT,
  status: TEXT,
  topologyName: TEXT,
  topology: z.enum(TOPOLOGY_KINDS).nullable(),
  strategy: TEXT,
  maxAgents: NUMBER,
  tasksTotal: NUMBER,
  tasksActive: NUMBER,
  tasksCompleted: NUMBER,
  stale: z.boolean(),
  createdAt: TEXT,
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

export const eventSchema: z.ZodType<SwarmlensEvent> = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('notice'),
    code: z.string(),
    severity: z.enum(NOTICE_SEVERITIES),
    message: z.string(),
    serverId: TEXT,
    timestamp: z.string(),
  }),
  z.object({
    type: z.literal('health'),
    serverId: z.string(),
    replicaId: TEXT,
    previousStatus: z.enum(SERVER_STATUSES),
    status: z.enum(SERVER_STATUSES),
    previousCircuitState: z.enum(CIRCUIT_STATES),
    circuitState: z.enum(CIRCUIT_STATES),
    reason: TEXT,
    timestamp: z.string(),
  }),
]);

const LATENCY = z.object({ p50Ms: NUMBER, p95Ms: NUMBER, p99Ms: NUMBER });
const BREAKER = z.object({
  state: z.enum(CIRCUIT_STATES),
  consecutiveFailures: z.number(),
  openedAt: TEXT,
  retryAt: TEXT,
});

const HEALTH: z.ZodType<ServerHealth> = z.object({
  circuitBreaker: BREAKER,
  latency: LATENCY,
  inFlight: z.number(),
  calls: z.number(),
  failures: z.number(),
  rejectedEntries: z.number(),
  polling: z.object({
    wantedHz: z.number(),
    effectiveHz: NUMBER,
    timeShare: NUMBER,
    maxTimeShare: z.number(),
  }),
  replicas: z.array(
    z.object({
      id: z.string(),
      status: z.enum(SERVER_STATUSES),
      inUse: z.boolean(),
      inFlight: z.number(),
      latency: LATENCY,
      circuitBreaker: BREAKER,
      lastError: TEXT,
      restarts: z.number(),
      lastAnsweredAt: TEXT,
      lastProbedAt: TEXT,
    }),
  ),
  tools: z.array(
    z.object({
      name: z.string(),
      calls: z.number(),
      failures: z.number(),
      consecutiveFailures: z.number(),
      lastError: TEXT,
      lastFailedAt: TEXT,
      latency: LATENCY,
    }),
  ),
});

/** What another node has measured; `null`: nothing, or nothing that can be read. */
export function parseServerHealth(json: string | null): ServerHealth | null {
  if (json === null) return null;
  try {
    return HEALTH.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
