/** Port of time. Tests use an implementation that they advance manually. */
export interface Clock {
  /** Returns milliseconds since the epoch, UTC. May jump. */
  now(): number;
  /** Returns fractional milliseconds of a clock that never goes back. */
  monotonic(): number;
  /**
   * Calls back once after `delayMs`, and not before the next turn of the event loop. Dispose to cancel. Does not keep the process
   * alive.
   */
  schedule(delayMs: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Returns the current time as RFC 3339, UTC. */
export function isoTimestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Converts milliseconds since the epoch to RFC 3339, UTC. Null stays null. */
export function toTimestamp(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

/** Resolves after `delayMs`, or as soon as `signal` is aborted. Check the signal afterwards. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.schedule(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
