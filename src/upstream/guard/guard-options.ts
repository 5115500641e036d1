/** Options of a guard. */
export interface GuardOptions {
  /** Timeout of one call in milliseconds, from the start of its first attempt to the end of the last; at least 1. */
  readonly timeoutMs: number;
  /** Maximum number of attempts of an idempotent call within `timeoutMs`; at least 1. */
  readonly maxAttempts: number;
  /** Delay in milliseconds between two attempts, which grows exponentially with jitter. */
  readonly retryBackoffMs: BackoffRange;
  /** Number of consecutive failures that open the circuit breaker; at least 1. */
  readonly breakerThreshold: number;
  /** Time in milliseconds from the opening of the circuit breaker to its next probe. Doubles with each failed probe. */
  readonly breakerBackoffMs: BackoffRange;
  /** Maximum number of concurrent calls; at least 1. */
  readonly maxConcurrent: number;
  /** Maximum number of queued own calls, and of queued calls of all clients together; at least 0. */
  readonly maxQueued: number;
  /** Maximum number of queued calls of one client; at least 0. */
  readonly maxQueuedPerClient: number;
  /** Length in milliseconds of the sliding window of latencies. */
  readonly latencyWindowMs: number;
  readonly maxLatencySamples: number;
}

/** Initial and maximum delay of a backoff, both above 0. */
export interface BackoffRange {
  readonly initial: number;
  readonly max: number;
}

/** Options that are equal for all endpoints. The configuration has the others. */
export const GUARD_DEFAULTS: Omit<GuardOptions, 'timeoutMs' | 'breakerThreshold' | 'breakerBackoffMs'> = {
  maxAttempts: 2,
  retryBackoffMs: { initial: 50, max: 1_000 },
  maxConcurrent: 4,
  maxQueued: 64,
  maxQueuedPerClient: 8,
  latencyWindowMs: 60_000,
  maxLatencySamples: 4_096,
};

/** @throws RangeError with the name and value of an option that is out of range */
export function validateGuardOptions(options: GuardOptions): void {
  const { retryBackoffMs, breakerBackoffMs } = options;
  assertAtLeast(1, 'timeoutMs', options.timeoutMs);
  assertInteger(1, 'maxAttempts', options.maxAttempts);
  assertInteger(1, 'breakerThreshold', options.breakerThreshold);
  assertInteger(1, 'maxConcurrent', options.maxConcurrent);
  assertInteger(0, 'maxQueued', options.maxQueued);
  assertInteger(0, 'maxQueuedPerClient', options.maxQueuedPerClient);
  assertInteger(1, 'maxLatencySamples', options.maxLatencySamples);
  assertAtLeast(1, 'latencyWindowMs', options.latencyWindowMs);
  assertAtLeast(1, 'retryBackoffMs.initial', retryBackoffMs.initial);
  assertAtLeast(retryBackoffMs.initial, 'retryBackoffMs.max', retryBackoffMs.max);
  assertAtLeast(1, 'breakerBackoffMs.initial', breakerBackoffMs.initial);
  assertAtLeast(breakerBackoffMs.initial, 'breakerBackoffMs.max', breakerBackoffMs.max);
}

function assertAtLeast(min: number, name: string, value: number): void {
  if (!(value >= min)) throw new RangeError(`${name} must be ${min} or more, not ${value}`);
}

function assertInteger(min: number, name: string, value: number): void {
  if (!Number.isInteger(value)) throw new RangeError(`${name} must be a whole number, not ${value}`);
  assertAtLeast(min, name, value);
}
