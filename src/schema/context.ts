import type { Collector } from '../collector/index.js';
import type { RateClock, StreamDeps } from '../delivery/index.js';
import type { Clock } from '../shared/index.js';
import type { Store } from '../state/index.js';
import type { NodeHealth } from './node-health.js';

/** What the program offers to resolvers. */
export interface Services {
  readonly store: Store;
  readonly collector: Collector;
  readonly streams: StreamDeps;
  readonly rateClock: RateClock;
  readonly clock: Clock;
  /** Of this process: connections, event loop, memory. */
  nodeHealth(): NodeHealth;
  /**
   * Counts one use of something that each client may do once a second.
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  limitToOncePerSecond(what: string, clientId: string): Promise<void>;
}

/** What resolvers get: the services, and who asks. */
export interface SchemaContext extends Services {
  /** Equal for all requests of one client. */
  readonly clientId: string;
  /** Updates a second that the client says it can draw; `null`: it did not say. */
  readonly maxHz: number | null;
  /** Told of the rates of the streams that run, so that health can show them. */
  readonly streamRates: StreamRates;
}

export interface StreamRates {
  /** Notes the newest rate of one stream. */
  set(stream: object, rate: { readonly requestedHz: number; readonly effectiveHz: number }): void;
}
