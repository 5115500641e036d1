/** Time and randomness. Tests replace both. */
export interface Runtime {
  /** Returns milliseconds since the epoch. May jump. */
  now(): number;
  /** Returns milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`. Returns a function that cancels the call. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** Returns a random number from 0 up to, but not including, 1. */
  random(): number;
}

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Longest delay of a timer, in milliseconds: about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves after `delayMs`, or as soon as `signal` aborts. Never rejects; callers check the signal. */
export async function sleep(runtime: Runtime, delayMs: number, signal: AbortSignal): Promise<void> {
  for (let remainingMs = delayMs; remainingMs > MAX_TIMER_MS && !signal.aborted; remainingMs -= MAX_TIMER_MS) {
    await waitForTimer(runtime, MAX_TIMER_MS, signal);
  }
  await waitForTimer(runtime, delayMs % MAX_TIMER_MS, signal);
}

function waitForTimer(runtime: Runtime, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = runtime.schedule(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Shortest and longest delay before a retry, in milliseconds. */
export interface RetryDelays {
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/**
 * Returns the delay before the next retry, in milliseconds. Doubles with each failure; half of it is random.
 *
 * @param failures number of consecutive failures, from 1
 */
export function backoffDelayMs(
  failures: number,
  { retryDelayMs, maxRetryDelayMs }: RetryDelays,
  random: () => number,
): number {
  const fullDelayMs = Math.min(maxRetryDelayMs, retryDelayMs * 2 ** Math.min(failures - 1, 30));
  return fullDelayMs * (0.5 + random() / 2);
}
