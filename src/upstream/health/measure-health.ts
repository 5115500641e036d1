import {
  type CircuitBreakerStatus,
  EMPTY_LATENCY,
  type ServerHealth,
  type ServerReplica,
  type ServerStatus,
} from '../../model/index.js';
import type { ReplicaPool } from '../pool/replica-pool.js';

/** A breaker that has seen nothing yet. */
const UNTOUCHED: CircuitBreakerStatus = { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null };

/** What is measured of a server's endpoints. */
export function measureServerHealth(
  pool: ReplicaPool,
  status: ServerStatus,
): Omit<ServerHealth, 'polling' | 'rejectedEntries' | 'tools'> {
  const { replicas, primary } = pool;
  const inUse = primary?.replica ?? replicas[0];
  const guards = replicas.map(({ guardStatus }) => guardStatus);
  const total = (read: (guard: (typeof guards)[number]) => number): number =>
    guards.reduce((sum, guard) => sum + read(guard), 0);
  return {
    circuitBreaker: inUse?.breaker ?? UNTOUCHED,
    latency: inUse?.latency ?? EMPTY_LATENCY,
    inFlight: total(({ inFlight }) => inFlight),
    calls: total(({ calls }) => calls),
    failures: total(({ failures }) => failures),
    replicas: replicas.map((replica): ServerReplica => {
      const { id, outstanding, latency, breaker, lastError, restarts, answeredAt, probedAt } = replica;
      return {
        id,
        // The only one is the server.
        status: replicas.length === 1 ? status : replica.status,
        inUse: pool.isInUse(replica),
        inFlight: outstanding,
        latency,
        circuitBreaker: breaker,
        lastError,
        restarts,
        lastAnsweredAt: isoOf(answeredAt),
        lastProbedAt: isoOf(probedAt),
      };
    }),
  };
}

function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
