/** Time as a dependency: tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. May jump. */
  now(): number;
  /** Milliseconds of a clock that only goes forward, with fractions. */
  monotonic(): number;
  /** Calls back once after `delayMs` (never earlier than the next turn); dispose to cancel. Does not hold the process. */
  schedule(delayMs: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** RFC 3339, UTC. */
export function isoTimestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Converts milliseconds since the epoch to RFC 3339, UTC. Null stays null. */
export function toTimestamp(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

/** Resolves after `delayMs`; resolves at once when `signal` is aborted, so look at the signal afterwards. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.schedule(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
