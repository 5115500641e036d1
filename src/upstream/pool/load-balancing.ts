/** What the choice between replicas looks at. */
export interface BalancedReplica {
  /** Calls under way there, those that wait for their turn included. */
  readonly outstanding: number;
  /** Median of its latencies; `null`: not known yet. */
  readonly medianMs: number | null;
  /** Since it has come back; `null`: it has not been away. */
  readonly recoveredForMs: number | null;
  /** It has answered since it was connected, and its last call did not fail. */
  readonly isHealthy: boolean;
  /** It has asked to be left alone for a while. */
  readonly isPaused: boolean;
}

/** A replica that has just come back gets a tenth of the calls of the others. */
const LEAST_WEIGHT = 0.1;

/** 0.1 … 1, growing evenly over `easeInMs`. */
export function slowStartWeight(recoveredForMs: number | null, easeInMs: number): number {
  if (recoveredForMs === null || recoveredForMs >= easeInMs) return 1;
  return LEAST_WEIGHT + (1 - LEAST_WEIGHT) * (Math.max(0, recoveredForMs) / easeInMs);
}

/**
 * The best first: those that are well before those that may not be, then the fewest calls under way (one that is eased in
 * counts each of them for more), then the least latency, then the order of the configuration.
 */
export function rankReplicas<R extends BalancedReplica>(replicas: readonly R[], easeInMs: number): R[] {
  const ranked = replicas.map((replica) => ({
    replica,
    trouble: Number(!replica.isHealthy) + 2 * Number(replica.isPaused),
    score: (replica.outstanding + 1) / slowStartWeight(replica.recoveredForMs, easeInMs),
    // Nobody knows how quick it is: it is asked, and then it is known.
    medianMs: replica.medianMs ?? 0,
  }));
  return ranked
    .sort((a, b) => a.trouble - b.trouble || a.score - b.score || a.medianMs - b.medianMs)
    .map(({ replica }) => replica);
}
