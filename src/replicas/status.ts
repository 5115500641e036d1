import type { CircuitBreakerStatus, ServerStatus } from '../domain/index.js';
import type { ConnectionState } from './link.js';

/** What the status of a replica follows from. */
export interface ReplicaStatusInput {
  readonly connection: ConnectionState;
  readonly breaker: CircuitBreakerStatus;
  /** Since it was connected. */
  readonly hasAnswered: boolean;
  readonly before: ServerStatus;
}

export function replicaStatus({ connection, breaker, hasAnswered, before }: ReplicaStatusInput): ServerStatus {
  switch (connection) {
    case 'CONNECTING':
      return 'CONNECTING';
    case 'LOST':
    case 'GIVEN_UP':
      return 'OFFLINE';
    case 'RENEWING':
      return before;
    case 'CONNECTED':
      if (breaker.state !== 'CLOSED') return 'OFFLINE';
      if (breaker.consecutiveFailures > 0) return 'DEGRADED';
      // A server that greets and leaves over and over is not there.
      return hasAnswered ? 'ONLINE' : before;
  }
}
