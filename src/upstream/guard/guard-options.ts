/** How one MCP endpoint is guarded. */
export interface GuardOptions {
  /** Of one call, all its tries together, from the start of the first; 1 or more. */
  readonly timeoutMs: number;
  /** Tries of an idempotent call, the first included, as long as there is time; 1 or more. */
  readonly maxAttempts: number;
  /** Between tries; grows exponentially, jittered. */
  readonly retryBackoffMs: BackoffRange;
  /** Failures in a row that open the breaker; 1 or more. */
  readonly breakerThreshold: number;
  /** From the opening of the breaker to its next probe; doubles with each probe that fails. */
  readonly breakerBackoffMs: BackoffRange;
  /** Calls at one time; 1 or more. */
  readonly maxConcurrent: number;
  /** Calls that wait for those; 0 or more. */
  readonly maxQueued: number;
  /** Latencies are taken over the calls that ended within this span. */
  readonly latencyWindowMs: number;
  readonly maxLatencySamples: number;
}

/** Both above 0. */
export interface BackoffRange {
  readonly initial: number;
  readonly max: number;
}

export const GUARD_DEFAULTS: GuardOptions = {
  timeoutMs: 3_000,
  maxAttempts: 2,
  retryBackoffMs: { initial: 50, max: 1_000 },
  breakerThreshold: 5,
  breakerBackoffMs: { initial: 1_000, max: 30_000 },
  maxConcurrent: 4,
  maxQueued: 64,
  latencyWindowMs: 60_000,
  maxLatencySamples: 4_096,
};

/** @throws RangeError naming the option and its value */
export function validateGuardOptions(options: GuardOptions): void {
  const { retryBackoffMs, breakerBackoffMs } = options;
  atLeast(1, 'timeoutMs', options.timeoutMs);
  whole(1, 'maxAttempts', options.maxAttempts);
  whole(1, 'breakerThreshold', options.breakerThreshold);
  whole(1, 'maxConcurrent', options.maxConcurrent);
  whole(0, 'maxQueued', options.maxQueued);
  whole(1, 'maxLatencySamples', options.maxLatencySamples);
  atLeast(1, 'latencyWindowMs', options.latencyWindowMs);
  atLeast(1, 'retryBackoffMs.initial', retryBackoffMs.initial);
  atLeast(retryBackoffMs.initial, 'retryBackoffMs.max', retryBackoffMs.max);
  atLeast(1, 'breakerBackoffMs.initial', breakerBackoffMs.initial);
  atLeast(breakerBackoffMs.initial, 'breakerBackoffMs.max', breakerBackoffMs.max);
}

function atLeast(min: number, name: string, value: number): void {
  if (!(value >= min)) throw new RangeError(`${name} must be ${min} or more, not ${value}`);
}

function whole(min: number, name: string, value: number): void {
  if (!Number.isInteger(value)) throw new RangeError(`${name} must be a whole number, not ${value}`);
  atLeast(min, name, value);
}
