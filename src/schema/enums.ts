import type {
  ActivityKind,
  AgentStatus,
  CircuitState,
  McpServerType,
  NoticeSeverity,
  PerformanceMode,
  ServerStatus,
  TaskStatus,
  TopologyKind,
  TransportKind,
  WaitReason,
} from '../model/index.js';
import { builder } from './builder.js';

/** Creates enum values with descriptions. A missing value does not compile. */
function describeValues<V extends string>(
  descriptions: Readonly<Record<V, string>>,
): Record<V, { description: string }> {
  const entries = Object.entries<string>(descriptions).map(([value, description]) => [value, { description }]);
  // Object.fromEntries drops the types of the keys, which are those of `descriptions`.
  return Object.fromEntries(entries) as Record<V, { description: string }>;
}

export const McpServerTypeEnum = builder.enumType('McpServerType', {
  description:
    'Type of an MCP server. A server has the type of its main tools, an agent the type of the tools that reported it.',
  values: describeValues<McpServerType>({
    CLAUDE_FLOW: 'Server claude-flow, also called ruflo.',
    RUV_SWARM: 'Server ruv-swarm.',
    DAA: 'Decentralized autonomous agents: the server of the DAA project, or the DAA tools of claude-flow.',
    CLAUDE_CODE: 'Observer of Claude Code sessions and their subagents.',
    CODEX: 'Observer of Codex sessions and their child threads.',
    CUSTOM: 'Any other MCP server, read through a mapping.',
  }),
});

export const PerformanceModeEnum = builder.enumType('PerformanceMode', {
  description: 'Maximum update rate of a stream. Nothing is sent if nothing changed.',
  values: describeValues<PerformanceMode>({
    HIGH_FREQUENCY: 'Up to 60 updates per second.',
    NORMAL: 'Up to 10 updates per second.',
    LOW_FREQUENCY: 'Up to one update per second.',
    ON_DEMAND: 'Updates only after `requestAgentUpdate`.',
  }),
});

export const AgentStatusEnum = builder.enumType('AgentStatus', {
  description: 'Activity of an agent, normalized across server types.',
  values: describeValues<AgentStatus>({
    INITIALIZING: 'Started, but not ready yet.',
    IDLE: 'Ready, without work.',
    ACTIVE: 'Working, or ready if the server does not distinguish the two.',
    BUSY: 'Working.',
    WAITING: 'Blocked until a person acts. See `activity.waitingFor`.',
    PAUSED: 'Paused; does no work until it is resumed.',
    ERROR: 'Failed.',
    OFFLINE: 'Known to its server, but unreachable for it.',
    TERMINATED: 'Terminated.',
    UNKNOWN: 'The server reports no status, or one without a counterpart here.',
  }),
});

export const ActivityKindEnum = builder.enumType('ActivityKind', {
  description: 'Kind of the work that an agent does now.',
  values: describeValues<ActivityKind>({
    TOOL: 'Runs a tool.',
    MODEL: 'Waits for an answer of its model.',
    WAITING: 'Waits for a person.',
    COMPACTING: 'Compacts its context.',
  }),
});

export const WaitReasonEnum = builder.enumType('WaitReason', {
  description: 'Reason for which an agent waits for a person.',
  values: describeValues<WaitReason>({
    PERMISSION: 'A tool call needs a permission.',
    ANSWER: 'The agent asked a question.',
    PLAN_APPROVAL: 'A plan needs an approval.',
    OTHER: 'Another reason, or an unknown one.',
  }),
});

export const TaskStatusEnum = builder.enumType('TaskStatus', {
  description: 'Status of a task, normalized across server types.',
  values: describeValues<TaskStatus>({
    PENDING: 'Not started yet.',
    IN_PROGRESS: 'Started and not ended.',
    BLOCKED: 'Waiting for another task or for a person.',
    COMPLETED: 'Ended successfully.',
    FAILED: 'Ended with a failure.',
    CANCELED: 'Ended without a result, because it was canceled.',
    UNKNOWN: 'The server reports no status, or one without a counterpart here.',
  }),
});

export const ServerStatusEnum = builder.enumType('ServerStatus', {
  description: 'Availability of a server.',
  values: describeValues<ServerStatus>({
    CONNECTING: 'Not connected yet.',
    ONLINE: 'Connected and answering.',
    DEGRADED: 'Answering, but a tool or a replica fails, or a response is overdue. See `lastError`.',
    OFFLINE:
      'Unreachable, or the circuit breaker is open. swarmlens reconnects automatically, unless `lastError` states that it has stopped trying.',
  }),
});

export const CircuitStateEnum = builder.enumType('CircuitState', {
  description: 'State of a circuit breaker.',
  values: describeValues<CircuitState>({
    CLOSED: 'Calls are executed.',
    OPEN: 'Too many consecutive calls failed. Calls are rejected until `retryAt`.',
    HALF_OPEN: 'One probe is executed. Its result closes the breaker or opens it again.',
  }),
});

export const UpdateKindEnum = builder.enumType('UpdateKind', {
  description: 'Kind of an update: complete state or changes.',
  values: describeValues<'SNAPSHOT' | 'DELTA'>({
    SNAPSHOT: 'Complete state of everything that matches. Replaces everything received before.',
    DELTA: 'Changes since the previous update, or since `after`.',
  }),
});

export const TransportKindEnum = builder.enumType('TransportKind', {
  description: 'Transport of the MCP session with a server.',
  values: describeValues<TransportKind>({
    STDIO: 'Standard input and output of a child process.',
    HTTP: 'MCP streamable HTTP.',
    SSE: 'HTTP with server-sent events, the legacy HTTP transport of MCP.',
    TCP: 'TCP with newline-delimited JSON-RPC.',
    WS: 'WebSocket with JSON-RPC messages.',
    TAP: 'Session of another MCP client, observed through `swarmlens tap`.',
  }),
});

export const TopologyKindEnum = builder.enumType('TopologyKind', {
  description: 'Standard topology of a swarm.',
  values: describeValues<TopologyKind>({
    MESH: 'All agents are connected to each other.',
    HIERARCHICAL: 'One agent leads the other agents.',
    RING: 'Each agent is connected to the next one.',
    STAR: 'All agents are connected to a central agent.',
    OTHER: 'Another topology. See `topologyName`.',
  }),
});

export const NoticeSeverityEnum = builder.enumType('NoticeSeverity', {
  description: 'Severity of a notice.',
  values: describeValues<NoticeSeverity>({
    INFO: 'Informational; no action is needed.',
    WARNING: 'Data is incomplete or delayed.',
    ERROR: 'A server or a function has failed.',
  }),
});

export const HealthStatusEnum = builder.enumType('HealthStatus', {
  description: 'Overall health, derived from the status of the servers.',
  values: describeValues<'HEALTHY' | 'DEGRADED' | 'UNHEALTHY'>({
    HEALTHY: 'All servers are ONLINE, or there is no server. Tapped servers whose session has ended do not count.',
    DEGRADED: 'At least one server is not ONLINE, but not all are OFFLINE or CONNECTING.',
    UNHEALTHY: 'No server is ONLINE or DEGRADED.',
  }),
});
