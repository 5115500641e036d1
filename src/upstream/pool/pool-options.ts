import type { Endpoint } from '../../mcp/index.js';
import type { McpServerType } from '../../model/index.js';

/** Options of the circuit breaker of one endpoint. */
export interface BreakerOptions {
  /** Number of consecutive failures that open the circuit breaker; at least 1. */
  readonly failures: number;
  /** Time in milliseconds from the opening to the first probe. Doubles with each failed probe. */
  readonly initialMs: number;
  /** Maximum time in milliseconds from a failed probe to the next one. */
  readonly maxMs: number;
}

/** Options of the reconnects, or restarts, of one endpoint. */
export interface RestartOptions {
  /** Delay in milliseconds after the first failed attempt. Doubles with each further one; half of it is jitter. */
  readonly initialMs: number;
  /** Maximum delay in milliseconds between two attempts. */
  readonly maxMs: number;
  /**
   * Number of consecutive failed starts of a child process after which it is not started again. Null for no limit.
   * Endpoints on the network are always tried again.
   */
  readonly maxAttempts: number | null;
}

/** Time in milliseconds after its recovery during which a replica gets fewer calls than the others. */
export const SLOW_START_MS = 10_000;

/** Options that all replicas of one server share. */
export interface PoolOptions {
  readonly serverId: string;
  /** Endpoints in the order of the configuration; at least one. */
  readonly endpoints: readonly Endpoint[];
  /** Server type that is assumed until a replica is connected. */
  readonly expectedType: McpServerType;
  /** Whether all calls go to one replica until it fails. Null for the default of the server type. */
  readonly sticky: boolean | null;
  /** Timeout of one call on all replicas together, in milliseconds. */
  readonly timeoutMs: number;
  /** Timeout of one connection attempt, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Time in milliseconds without an answer after which a replica is probed. */
  readonly heartbeatMs: number;
  /** Duration of the slow start after a recovery, in milliseconds. */
  readonly slowStartMs: number;
  readonly breaker: BreakerOptions;
  readonly restart: RestartOptions;
}

/** Returns the id of a replica: the server's id for the first one, followed by `#2`, `#3`, … for the others. */
export function replicaId(serverId: string, index: number): string {
  return index === 0 ? serverId : `${serverId}#${index + 1}`;
}

/** Returns whether servers of a type keep their state in memory, so that replicas do not share it. */
export function hasProcessLocalState(type: McpServerType): boolean {
  return type !== 'CLAUDE_FLOW';
}

/** Options of one replica in a pool. */
export interface ReplicaOptions extends PoolOptions {
  readonly id: string;
  readonly endpoint: Endpoint;
}
