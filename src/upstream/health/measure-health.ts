import {
  EMPTY_LATENCY,
  type ServerHealth,
  type ServerReplica,
  type ServerStatus,
  UNUSED_CIRCUIT_BREAKER,
} from '../../model/index.js';
import { toTimestamp } from '../../shared/index.js';
import type { ReplicaPool } from '../pool/replica-pool.js';

/** Computes the part of a server's health that its replica pool measures. */
export function measureServerHealth(
  pool: ReplicaPool,
  status: ServerStatus,
): Omit<ServerHealth, 'polling' | 'rejectedEntries' | 'tools'> {
  const { replicas, primary } = pool;
  const primaryReplica = primary?.replica ?? replicas[0];
  const guards = replicas.map(({ guardStatus }) => guardStatus);
  const sum = (valueOf: (guard: (typeof guards)[number]) => number): number =>
    guards.reduce((total, guard) => total + valueOf(guard), 0);
  return {
    circuitBreaker: primaryReplica?.breaker ?? UNUSED_CIRCUIT_BREAKER,
    latency: primaryReplica?.latency ?? EMPTY_LATENCY,
    inFlight: sum(({ inFlight }) => inFlight),
    calls: sum(({ calls }) => calls),
    failures: sum(({ failures }) => failures),
    replicas: replicas.map((replica): ServerReplica => {
      const { id, outstanding, latency, breaker, lastError, connects, connectionFailures, restarts } = replica;
      return {
        id,
        // The only replica has the status of the server, which also reflects its tools.
        status: replicas.length === 1 ? status : replica.status,
        inUse: pool.isInUse(replica),
        inFlight: outstanding,
        latency,
        circuitBreaker: breaker,
        lastError,
        connects,
        connectionFailures,
        restarts,
        lastAnsweredAt: toTimestamp(replica.answeredAt),
        lastProbedAt: toTimestamp(replica.probedAt),
      };
    }),
  };
}
