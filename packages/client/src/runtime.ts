/** Time and chance, which tests bring their own of. */
export interface Runtime {
  /** Milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds of a clock that only goes forward. */
  monotonic(): number;
  /** Calls back once after `delayMs`; call what it returns to cancel. */
  schedule(delayMs: number, callback: () => void): () => void;
  /** 0 to 1, without 1. */
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

/** Timers end at 24 days: a longer pause is made of several. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Resolves after `delayMs`, or when `signal` is aborted: look at the signal afterwards. */
export async function sleep(surroundings: Runtime, delayMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = delayMs; leftMs > MAX_DELAY_MS && !signal.aborted; leftMs -= MAX_DELAY_MS) {
    await shortPause(surroundings, MAX_DELAY_MS, signal);
  }
  await shortPause(surroundings, delayMs % MAX_DELAY_MS, signal);
}

function shortPause(surroundings: Runtime, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = surroundings.schedule(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

export interface RetryDelays {
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/** How long to wait after so many failures in a row, 1 or more: twice as long each time, half of it by chance. */
export function backoffDelayMs(
  failures: number,
  { retryDelayMs, maxRetryDelayMs }: RetryDelays,
  random: () => number,
): number {
  const wholeMs = Math.min(maxRetryDelayMs, retryDelayMs * 2 ** Math.min(failures - 1, 30));
  return wholeMs * (0.5 + random() / 2);
}
