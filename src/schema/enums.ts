import type {
  AgentStatus,
  CircuitState,
  McpServerType,
  NoticeSeverity,
  PerformanceMode,
  ServerStatus,
  TopologyKind,
  TransportKind,
} from '../model/index.js';
import { builder } from './builder.js';

/** Values with their descriptions: a value of the vocabulary that is missing here does not compile. */
function described<V extends string>(descriptions: Readonly<Record<V, string>>): Record<V, { description: string }> {
  const entries = Object.entries<string>(descriptions).map(([value, description]) => [value, { description }]);
  // Object.fromEntries loses the keys' types; they are those of `descriptions`.
  return Object.fromEntries(entries) as Record<V, { description: string }>;
}

export const McpServerTypeEnum = builder.enumType('McpServerType', {
  description: 'Family of MCP server. A server has the one of its main tools, an agent the one that reported it.',
  values: described<McpServerType>({
    CLAUDE_FLOW: 'claude-flow, also called ruflo.',
    RUV_SWARM: 'ruv-swarm.',
    DAA: "Decentralized autonomous agents: the DAA project's own server, or the DAA tools inside claude-flow.",
    CUSTOM: 'Any other MCP server.',
  }),
});

export const PerformanceModeEnum = builder.enumType('PerformanceMode', {
  description: 'How often a stream moves at most. Nothing is sent when nothing changed.',
  values: described<PerformanceMode>({
    HIGH_FREQUENCY: '60 updates a second.',
    NORMAL: '10 updates a second.',
    LOW_FREQUENCY: 'One update a second.',
    ON_DEMAND: 'Only after `requestAgentUpdate`.',
  }),
});

export const AgentStatusEnum = builder.enumType('AgentStatus', {
  description: "What an agent is doing, in one vocabulary for all servers' own words.",
  values: described<AgentStatus>({
    INITIALIZING: 'Started, not yet ready.',
    IDLE: 'Ready, with nothing to do.',
    ACTIVE: 'At work, or ready for it where the server makes no difference.',
    BUSY: 'At work.',
    PAUSED: 'Held by somebody.',
    ERROR: 'Failed.',
    OFFLINE: 'Known, but not reachable for its server.',
    TERMINATED: 'Ended.',
    UNKNOWN: 'The server says nothing, or a word that has no counterpart here.',
  }),
});

export const ServerStatusEnum = builder.enumType('ServerStatus', {
  description: 'How a server answers.',
  values: described<ServerStatus>({
    CONNECTING: 'Not reached yet.',
    ONLINE: 'All that is asked of it is answered.',
    DEGRADED: 'Answering, but a tool or a replica fails, or an answer is overdue; see `lastError`.',
    OFFLINE:
      'Not reachable, or its circuit breaker is open. It is tried again by itself, unless `lastError` says that it is given up.',
  }),
});

export const CircuitStateEnum = builder.enumType('CircuitState', {
  description: "State of the circuit breaker around a server's calls.",
  values: described<CircuitState>({
    CLOSED: 'Calls pass.',
    OPEN: 'Too many calls failed in a row: none passes until `retryAt`.',
    HALF_OPEN: 'One probe is let through; it decides.',
  }),
});

export const UpdateKindEnum = builder.enumType('UpdateKind', {
  description: 'Whether an update is the whole picture or a change of it.',
  values: described<'SNAPSHOT' | 'DELTA'>({
    SNAPSHOT: 'All that matches: forget what you had.',
    DELTA: 'What changed since the update before, or since `after`.',
  }),
});

export const TransportKindEnum = builder.enumType('TransportKind', {
  description: 'How a server is reached.',
  values: described<TransportKind>({
    STDIO: 'A child process, MCP over its standard input and output.',
    HTTP: 'MCP streamable HTTP.',
    SSE: 'MCP over HTTP with server-sent events, the older HTTP transport.',
    TCP: 'JSON-RPC lines over a TCP connection.',
    WS: 'JSON-RPC over a WebSocket.',
    TAP: "A session of somebody's own MCP client, watched through `swarmlens tap`.",
  }),
});

export const TopologyKindEnum = builder.enumType('TopologyKind', {
  description: 'Standard shape of a swarm.',
  values: described<TopologyKind>({
    MESH: 'Everyone with everyone.',
    HIERARCHICAL: 'One leads, the others follow.',
    RING: 'Each with the next.',
    STAR: 'One in the middle.',
    OTHER: 'None of these; see `topologyName`.',
  }),
});

export const NoticeSeverityEnum = builder.enumType('NoticeSeverity', {
  description: 'How much a notice matters.',
  values: described<NoticeSeverity>({
    INFO: 'Good to know.',
    WARNING: 'Something is left out or late.',
    ERROR: 'Something does not work.',
  }),
});

export const HealthStatusEnum = builder.enumType('HealthStatus', {
  description: 'Health of the whole, from the status of its servers.',
  values: described<'HEALTHY' | 'DEGRADED' | 'UNHEALTHY'>({
    HEALTHY: 'Every server is ONLINE, or there is none.',
    DEGRADED: 'Some server is not ONLINE.',
    UNHEALTHY: 'No server is ONLINE or DEGRADED.',
  }),
});
