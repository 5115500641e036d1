import type { Clock } from './clock.js';

/** Delay of a timer, in milliseconds, from which on this process counts as stalled. */
export const MIN_STALL_MS = 2;

/**
 * Calls back when a peer has had `delayMs` to answer; dispose to cancel. A timer that fires late shows that this process
 * was stalled: the deadline is extended by that delay, at most doubled, so that answers that have arrived are read first.
 */
export function scheduleDeadline(clock: Clock, delayMs: number, callback: () => void): Disposable {
  let remainingMs = delayMs;
  let timer: Disposable;
  let immediate: NodeJS.Immediate | undefined;
  const schedule = (forMs: number): void => {
    const dueMs = clock.monotonic() + forMs;
    timer = clock.schedule(forMs, () => {
      const extensionMs = Math.min(remainingMs, clock.monotonic() - dueMs);
      if (extensionMs >= MIN_STALL_MS) {
        remainingMs -= extensionMs;
        schedule(extensionMs);
      } else {
        // Timers run before the sockets are read.
        immediate = setImmediate(callback);
      }
    });
  };
  schedule(delayMs);
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      clearImmediate(immediate);
    },
  };
}
