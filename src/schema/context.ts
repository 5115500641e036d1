import type { Viewer } from '../auth/index.js';
import type { Collector } from '../collector/index.js';
import type { RateClock, StreamDeps } from '../delivery/index.js';
import type { Candidates } from '../discovery/index.js';
import type { Clock } from '../shared/index.js';
import type { Store } from '../state/index.js';
import type { NodeHealth } from './node-health.js';

/** What the program offers to resolvers. */
export interface Services {
  readonly store: Store;
  readonly collector: Collector;
  readonly candidates: Pick<Candidates, 'list' | 'forget'>;
  readonly streams: StreamDeps;
  readonly rateClock: RateClock;
  readonly clock: Clock;
  /** Of this process: connections, event loop, memory. */
  readonly nodeHealth: () => NodeHealth;
  /**
   * Counts one use of something that each client may do once a second.
   * @throws SwarmlensError RATE_LIMITED with `retryAfterMs`
   */
  readonly limitToOncePerSecond: (what: string, clientId: string) => Promise<void>;
}

/** What resolvers get: the services, and who asks. */
export interface SchemaContext extends Services {
  /** Equal for all requests of one client. */
  readonly clientId: string;
  /** Of this operation; made here, and told with an error that is masked. */
  readonly requestId: string;
  readonly viewer: Viewer;
  /**
   * Goes on with another token on the same connection; `null`: there is no connection that outlasts its request.
   * @throws SwarmlensError UNAUTHENTICATED, or FORBIDDEN when it gives other rights
   */
  readonly renew: ((token: string) => Promise<Viewer>) | null;
  /** Updates a second that the client says it can draw; `null`: it did not say. */
  readonly maxHz: number | null;
}
