import type { CircuitState, McpServerType, ServerStatus, TransportKind } from './enums.js';
import type { ServerOrigin } from './origin.js';

/** Latency percentiles of the calls that ended within the sliding window. Null if there was none. */
export interface Latency {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export const EMPTY_LATENCY: Latency = { p50Ms: null, p95Ms: null, p99Ms: null };

export interface CircuitBreakerStatus {
  readonly state: CircuitState;
  readonly consecutiveFailures: number;
  readonly openedAt: string | null;
  /** Time at which the next probe is allowed. Null unless the breaker is open. */
  readonly retryAt: string | null;
}

/** Status of a circuit breaker that no call has passed, also of a server that no node has measured. */
export const UNUSED_CIRCUIT_BREAKER: CircuitBreakerStatus = {
  state: 'CLOSED',
  consecutiveFailures: 0,
  openedAt: null,
  retryAt: null,
};

/** One of the endpoints of one server. */
export interface ServerReplica {
  readonly id: string;
  readonly status: ServerStatus;
  /** Whether calls can be sent to the replica now. */
  readonly inUse: boolean;
  /** Number of calls in progress, including queued ones. */
  readonly inFlight: number;
  readonly latency: Latency;
  readonly circuitBreaker: CircuitBreakerStatus;
  /** Current error. Null if there is none. */
  readonly lastError: string | null;
  /** Number of established connections. */
  readonly connects: number;
  /** Number of failed attempts to connect, or to start the command, and of lost connections. */
  readonly connectionFailures: number;
  /** Number of reconnects. */
  readonly restarts: number;
  /** Time of the last answer. Null if the replica never answered. */
  readonly lastAnsweredAt: string | null;
  /** Time of the last health probe. Null if no probe was needed, because regular calls were answered. */
  readonly lastProbedAt: string | null;
}

/** Statistics about the calls of one tool. */
export interface ToolHealth {
  readonly name: string;
  /** Number of calls that were answered or should have been. */
  readonly calls: number;
  /** Number of calls that were rejected, returned an unusable response, or were not answered. */
  readonly failures: number;
  readonly consecutiveFailures: number;
  /** Error of the last failure, however long ago. Null if there was none. */
  readonly lastError: string | null;
  readonly lastFailedAt: string | null;
  readonly latency: Latency;
}

/** Poll statistics of a server over its recent polls. */
export interface Polling {
  /** Required polls per second, within the limits of the server. */
  readonly wantedHz: number;
  /** Measured polls per second. Null before the second poll. */
  readonly effectiveHz: number | null;
  /** Measured share of time, 0 to 1, that polls took. Null before the second poll. */
  readonly timeShare: number | null;
  /** Upper limit of `timeShare`, 0 to 1. */
  readonly maxTimeShare: number;
}

/** Measured health of a server. Not part of the revisioned state. */
export interface ServerHealth {
  /** Circuit breaker of the replica in use. */
  readonly circuitBreaker: CircuitBreakerStatus;
  /** Latency of the replica in use. */
  readonly latency: Latency;
  /** Number of calls in progress. */
  readonly inFlight: number;
  /** Number of attempts on all replicas. */
  readonly calls: number;
  /** Number of failed attempts on all replicas. */
  readonly failures: number;
  /** Number of malformed entries in responses, which were omitted. */
  readonly rejectedEntries: number;
  readonly polling: Polling;
  readonly replicas: readonly ServerReplica[];
  /** Statistics of the most recently called tools, ordered by name. */
  readonly tools: readonly ToolHealth[];
}

/** Result of a tool call on behalf of a client. */
export interface ToolResult {
  /** Whether the tool reported a failure. */
  readonly isError: boolean;
  /** Decoded response: JSON, or text if the server sent no JSON. */
  readonly content: unknown;
  readonly durationMs: number;
}

/** State of one server. Revisioned like the state of agents. */
export interface McpServer {
  readonly id: string;
  readonly type: McpServerType;
  /** Server types that the agents can belong to, the server's own type first. */
  readonly agentServerTypes: readonly McpServerType[];
  readonly name: string;
  readonly version: string | null;
  readonly transport: TransportKind;
  readonly status: ServerStatus;
  /** Names of the tools, in the server's order. */
  readonly tools: readonly string[];
  /** Whether the agents show last known values. */
  readonly stale: boolean;
  /** Time since which the agents are stale. Null if they are not. */
  readonly staleSince: string | null;
  readonly simulated: boolean;
  /** Start of the current or last session. Null before the first one, and when an observed session has ended. */
  readonly connectedAt: string | null;
  readonly lastError: string | null;
  /** Omitted if no session can be found for the server. */
  readonly origin?: ServerOrigin | undefined;
}

/** Returns whether a tapped server is offline because its session has ended normally, which is no failure. */
export function isEndedSession({
  transport,
  status,
  connectedAt,
}: Pick<McpServer, 'transport' | 'status' | 'connectedAt'>): boolean {
  return transport === 'TAP' && status === 'OFFLINE' && connectedAt === null;
}
