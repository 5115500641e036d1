import type { CircuitState, McpServerType, ServerStatus, TransportKind } from './enums.js';

/** Latencies of the calls that ended inside the sliding window; `null` when there was none. */
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
  /** When the next probe is let through; `null` unless the breaker is open. */
  readonly retryAt: string | null;
}

/** Status of a circuit breaker that no call has passed, also of a server that no node has measured. */
export const UNUSED_CIRCUIT_BREAKER: CircuitBreakerStatus = {
  state: 'CLOSED',
  consecutiveFailures: 0,
  openedAt: null,
  retryAt: null,
};

/** One of the endpoints that serve one logical server. */
export interface ServerReplica {
  readonly id: string;
  readonly status: ServerStatus;
  /** Calls may go there now. */
  readonly inUse: boolean;
  /** Calls under way, those that wait for their turn included. */
  readonly inFlight: number;
  readonly latency: Latency;
  readonly circuitBreaker: CircuitBreakerStatus;
  /** What is wrong with it now; `null`: nothing is. */
  readonly lastError: string | null;
  /** Times that it was connected again. */
  readonly restarts: number;
  /** When it last answered anything; `null`: never. */
  readonly lastAnsweredAt: string | null;
  /** When it was last asked whether it is there, because nobody had called it; `null`: there was no need. */
  readonly lastProbedAt: string | null;
}

/** How the calls of one tool went. */
export interface ToolHealth {
  readonly name: string;
  /** That were answered, or should have been. */
  readonly calls: number;
  /** Of those: refused, unusable, or not answered. */
  readonly failures: number;
  readonly consecutiveFailures: number;
  /** Of the last failure, however long ago; `null`: there was none. */
  readonly lastError: string | null;
  readonly lastFailedAt: string | null;
  readonly latency: Latency;
}

/** How a server is polled, over its last polls. */
export interface Polling {
  /** What is wanted now, within what the server may be asked. */
  readonly wantedHz: number;
  /** Measured; `null` before the second poll. */
  readonly effectiveHz: number | null;
  /** 0..1 of the time in which a poll was under way, measured; `null` before the second poll. */
  readonly timeShare: number | null;
  /** 0..1: what `timeShare` may be at most. */
  readonly maxTimeShare: number;
}

/** What is measured of a server but not part of the revisioned picture. */
export interface ServerHealth {
  /** Of the replica in use, as is `latency`. */
  readonly circuitBreaker: CircuitBreakerStatus;
  readonly latency: Latency;
  /** Calls under way. */
  readonly inFlight: number;
  /** Tries, and those of them that failed, of all replicas. */
  readonly calls: number;
  readonly failures: number;
  /** Malformed things that its answers held and that were left out. */
  readonly rejectedEntries: number;
  readonly polling: Polling;
  readonly replicas: readonly ServerReplica[];
  /** Of the tools that were called last, in the order of their names. */
  readonly tools: readonly ToolHealth[];
}

/** Of one call that a client asked for. */
export interface ToolResult {
  /** The tool said that it failed. */
  readonly isError: boolean;
  /** The decoded answer: JSON, or text where the server sent no JSON. */
  readonly content: unknown;
  readonly durationMs: number;
}

/** What is state of a server: changes of it are revisioned like those of agents. */
export interface McpServer {
  readonly id: string;
  readonly type: McpServerType;
  /** The families that its agents can belong to, its own first. */
  readonly agentServerTypes: readonly McpServerType[];
  readonly name: string;
  readonly version: string | null;
  readonly transport: TransportKind;
  readonly status: ServerStatus;
  /** Names of the tools it offers, in its own order. */
  readonly tools: readonly string[];
  /** Its agents are last known values. */
  readonly stale: boolean;
  /** Since when they are; `null`: they are not. */
  readonly staleSince: string | null;
  readonly simulated: boolean;
  readonly connectedAt: string | null;
  readonly lastError: string | null;
}
