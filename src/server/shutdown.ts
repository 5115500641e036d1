import { type Clock, sleep } from '../shared/index.js';

/** Minimum number of connections to close per step of 25 ms. Other nodes can absorb this many reconnects at once. */
const MIN_CLOSED_PER_STEP = 50;
const STEP_MS = 25;

/**
 * Closes connections in even steps within `withinMs`, so that their reconnects do not overload other nodes. A busy process
 * closes more connections per step, because the steps follow the elapsed time.
 * @param signal skips the pauses, but not the closing
 */
export async function closeGradually(
  clock: Clock,
  closeActions: readonly (() => void)[],
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  const sinceMs = clock.monotonic();
  for (let closed = 0; ;) {
    const share = (clock.monotonic() - sinceMs + STEP_MS) / withinMs;
    const until = Math.max(closed + MIN_CLOSED_PER_STEP, Math.ceil(closeActions.length * share));
    for (const close of closeActions.slice(closed, until)) close();
    closed = until;
    if (closed >= closeActions.length) return;
    await sleep(clock, STEP_MS, signal);
  }
}
