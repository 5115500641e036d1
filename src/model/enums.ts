/** Closed value sets. The GraphQL enums derive from these tuples. */

export const MCP_SERVER_TYPES = ['CLAUDE_FLOW', 'RUV_SWARM', 'DAA', 'CLAUDE_CODE', 'CODEX', 'CUSTOM'] as const;
/** Type of an MCP server, determined by its main tools; of an agent, determined by the tools that reported it. */
export type McpServerType = (typeof MCP_SERVER_TYPES)[number];

export const AGENT_STATUSES = [
  'INITIALIZING',
  'IDLE',
  'ACTIVE',
  'BUSY',
  'WAITING',
  'PAUSED',
  'ERROR',
  'OFFLINE',
  'TERMINATED',
  'UNKNOWN',
] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export const ACTIVITY_KINDS = ['TOOL', 'MODEL', 'WAITING', 'COMPACTING'] as const;
/** Kind of work in progress: a tool call, an answer of the model, a wait for a person, or the compaction of the context. */
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

export const WAIT_REASONS = ['PERMISSION', 'ANSWER', 'PLAN_APPROVAL', 'OTHER'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export const TASK_STATUSES = [
  'PENDING',
  'IN_PROGRESS',
  'BLOCKED',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'UNKNOWN',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export const SERVER_STATUSES = ['CONNECTING', 'ONLINE', 'DEGRADED', 'OFFLINE'] as const;
export type ServerStatus = (typeof SERVER_STATUSES)[number];

export const CIRCUIT_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;
export type CircuitState = (typeof CIRCUIT_STATES)[number];

export const TRANSPORT_KINDS = ['STDIO', 'HTTP', 'SSE', 'TCP', 'WS', 'TAP'] as const;
export type TransportKind = (typeof TRANSPORT_KINDS)[number];

export const TOPOLOGY_KINDS = ['MESH', 'HIERARCHICAL', 'RING', 'STAR', 'OTHER'] as const;
/** Standard shape of a swarm's topology. `OTHER` covers all names that are none of the four shapes. */
export type TopologyKind = (typeof TOPOLOGY_KINDS)[number];

export const PERFORMANCE_MODES = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'] as const;
export type PerformanceMode = (typeof PERFORMANCE_MODES)[number];

/** Updates per second of each mode. `ON_DEMAND` streams send updates on request only. */
export const MODE_HZ: Readonly<Record<PerformanceMode, number>> = {
  HIGH_FREQUENCY: 60,
  NORMAL: 10,
  LOW_FREQUENCY: 1,
  ON_DEMAND: 0,
};

export const NOTICE_SEVERITIES = ['INFO', 'WARNING', 'ERROR'] as const;
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];
