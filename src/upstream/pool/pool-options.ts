import type { McpServerType } from '../../model/index.js';
import type { Endpoint } from '../../mcp/index.js';

/** When the breaker of an endpoint opens, and for how long. */
export interface BreakerOptions {
  /** In a row; 1 or more. */
  readonly failures: number;
  /** To the first probe; doubles with each probe that fails. */
  readonly initialMs: number;
  readonly maxMs: number;
}

/** How an endpoint that was lost, or cannot be reached, is tried again. */
export interface RestartOptions {
  /** After the first attempt that led to nothing; doubles with each further one, half of it jittered. */
  readonly initialMs: number;
  readonly maxMs: number;
  /**
   * Starts of a child process in a row that led to nothing, after which it is given up; `null`: never. What is reached
   * over the network is never given up: asking costs nothing there.
   */
  readonly maxAttempts: number | null;
}

export const BREAKER_DEFAULTS: BreakerOptions = { failures: 5, initialMs: 1_000, maxMs: 30_000 };
export const RESTART_DEFAULTS: RestartOptions = { initialMs: 500, maxMs: 30_000, maxAttempts: 20 };

/** From when a replica has recovered until it gets as many calls as the others. */
export const SLOW_START_MS = 10_000;

/** What all replicas of one logical server have in common. */
export interface PoolOptions {
  readonly serverId: string;
  /** The server's own first; one or more. */
  readonly endpoints: readonly Endpoint[];
  /** What it is taken for until it has been asked. */
  readonly expectedType: McpServerType;
  /** All calls go to one replica until that fails; `null`: as the type of server has it. */
  readonly sticky: boolean | null;
  /** Of one call, tried on however many replicas. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** A replica that has answered nothing for so long is probed. */
  readonly heartbeatMs: number;
  readonly slowStartMs: number;
  readonly breaker: BreakerOptions;
  readonly restart: RestartOptions;
}

/** Ids of replicas: the server's own for the first, with a number for each after it. */
export function replicaId(serverId: string, index: number): string {
  return index === 0 ? serverId : `${serverId}#${index + 1}`;
}

/** Whether what a server of this kind knows is known to its one process only. */
export function hasProcessLocalState(type: McpServerType): boolean {
  return type !== 'CLAUDE_FLOW';
}

/** One of the endpoints of a pool. */
export interface ReplicaOptions extends PoolOptions {
  readonly id: string;
  readonly endpoint: Endpoint;
}
