/** Measured health of this process. Values are null before the first measurement. */
export interface NodeHealth {
  readonly connections: ConnectionHealth;
  readonly eventLoop: EventLoopHealth;
  readonly memory: MemoryHealth;
  readonly limits: readonly LimitHealth[];
  readonly uptimeMs: number;
  readonly readiness: Readiness;
}

/** Reasons for which `/readyz` answers with 503. */
export type NotReadyReason = 'draining' | 'redis-unavailable' | 'starting';

/** Whether this node should receive clients. */
export interface Readiness {
  /** Null if the node is ready. */
  readonly reason: NotReadyReason | null;
  /** Error or explanation, which may contain addresses. Null if there is none. */
  readonly detail: string | null;
}

/** Number of requests that one limit rejected. */
export interface LimitHealth {
  /** Name of the option under `swarmlens.limits`, or a fixed limit without an option. */
  readonly name: string;
  readonly hits: number;
}

export interface ConnectionHealth {
  /** Number of open WebSockets. */
  readonly open: number;
  /** Number of running subscriptions over WebSocket and SSE. */
  readonly subscriptions: number;
  /** Number of WebSockets that receive no updates because too many bytes are unsent or unread. */
  readonly slow: number;
  /** Unsent bytes of all WebSockets in this process. */
  readonly unsentBytes: number;
  readonly roundTripP50Ms: number | null;
  readonly roundTripP95Ms: number | null;
  readonly roundTripP99Ms: number | null;
  /** Mean over the running `agentUpdates` streams with a rate. Null if there are none. */
  readonly meanRequestedHz: number | null;
  readonly meanEffectiveHz: number | null;
  readonly minEffectiveHz: number | null;
}

export interface EventLoopHealth {
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** Share of busy time since the last measurement, 0 to 1. */
  readonly utilization: number;
}

export interface MemoryHealth {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
}
