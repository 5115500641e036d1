import type { Viewer } from '../auth/index.js';
import type { RateClock } from '../delivery/index.js';
import type { Clock } from '../shared/index.js';
import type { ScopedServices } from '../access/index.js';
import type { NodeHealth } from './node-health.js';

/** What the program offers to resolvers, whoever asks. Nothing of the picture: that is in a viewer's sight. */
export interface ResolverServices {
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

/** What resolvers get: the services, who asks, and all that they may see. */
export interface SchemaContext extends ResolverServices, ScopedServices {
  /** Equal for all requests of one client. */
  readonly clientId: string;
  /** Of this operation; made here, and told with an error that is masked. */
  readonly requestId: string;
  readonly viewer: Viewer;
  /**
   * Goes on with another token on the same connection; `null`: there is no connection that outlasts its request.
   * @throws SwarmlensError UNAUTHENTICATED, or FORBIDDEN when it gives other rights
   */
  readonly reauthenticate: ((token: string) => Promise<Viewer>) | null;
  /** Updates a second that the client says it can draw; `null`: it did not say. */
  readonly maxHz: number | null;
}
