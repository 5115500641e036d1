/** Properties of a replica that load balancing depends on. */
export interface BalancedReplica {
  /** Number of running and queued calls. */
  readonly outstanding: number;
  /** Median latency in milliseconds. Null if unknown. */
  readonly medianMs: number | null;
  /** Time in milliseconds since the replica recovered. Null if it was never offline. */
  readonly recoveredForMs: number | null;
  /** Whether the replica has answered on its current connection and its last call succeeded. */
  readonly isHealthy: boolean;
  /** Whether the replica requested a pause that has not ended. */
  readonly isPaused: boolean;
}

/** Weight of a replica that has just recovered. Other replicas get ten times as many calls. */
const MIN_WEIGHT = 0.1;

/** Returns the weight of a replica, which grows linearly from 0.1 to 1 during the slow start of `slowStartMs`. */
export function slowStartWeight(recoveredForMs: number | null, slowStartMs: number): number {
  if (recoveredForMs === null || recoveredForMs >= slowStartMs) return 1;
  return MIN_WEIGHT + (1 - MIN_WEIGHT) * (Math.max(0, recoveredForMs) / slowStartMs);
}

/**
 * Sorts replicas from best to worst: first by health and pauses, then by outstanding calls divided by the slow start
 * weight, then by median latency. Equal replicas keep the order of the configuration.
 */
export function rankReplicas<R extends BalancedReplica>(replicas: readonly R[], slowStartMs: number): R[] {
  const ranked = replicas.map((replica) => ({
    replica,
    penalty: Number(!replica.isHealthy) + 2 * Number(replica.isPaused),
    score: (replica.outstanding + 1) / slowStartWeight(replica.recoveredForMs, slowStartMs),
    // A replica of unknown latency is preferred, so that its latency becomes known.
    medianMs: replica.medianMs ?? 0,
  }));
  return ranked
    .sort((a, b) => a.penalty - b.penalty || a.score - b.score || a.medianMs - b.medianMs)
    .map(({ replica }) => replica);
}
