/** Measured state of this process. A value that could not be measured yet is `null`. */
export interface NodeHealth {
  readonly connections: ConnectionHealth;
  readonly eventLoop: EventLoopHealth;
  readonly memory: MemoryHealth;
  readonly limits: readonly LimitHealth[];
  readonly uptimeMs: number;
}

/** How often clients of this process came up against one limit. */
export interface LimitHealth {
  /** As in the configuration, where it has an option there. */
  readonly name: string;
  readonly hits: number;
}

export interface ConnectionHealth {
  /** Open WebSockets. */
  readonly open: number;
  /** Running subscriptions, over WebSocket and SSE. */
  readonly subscriptions: number;
  /** WebSockets whose unsent bytes are above the mark. */
  readonly slow: number;
  /** Of all WebSockets together, what waits in this process to be sent. */
  readonly unsentBytes: number;
  readonly roundTripP50Ms: number | null;
  readonly roundTripP95Ms: number | null;
  readonly roundTripP99Ms: number | null;
  /** Over the running `agentUpdates` with a rate; `null` when there is none. */
  readonly meanRequestedHz: number | null;
  readonly meanEffectiveHz: number | null;
  readonly minEffectiveHz: number | null;
}

export interface EventLoopHealth {
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** 0..1, since the last look. */
  readonly utilization: number;
}

export interface MemoryHealth {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
}
