import { type Clock, sleep } from '../shared/index.js';

/** So many go at once: where they go takes that. */
const FEW = 50;
const BETWEEN_MS = 25;

/**
 * Closes all of them within so long: a few at once, many spread evenly, so that the nodes they go to are not stormed.
 * Goes by the time that has passed, not by the turns it got: a busy process takes larger ones.
 * @param signal ends the pauses, not the closing
 */
export async function closeGradually(
  clock: Clock,
  closers: readonly (() => void)[],
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  const sinceMs = clock.monotonic();
  for (let closed = 0; ;) {
    const share = (clock.monotonic() - sinceMs + BETWEEN_MS) / withinMs;
    const until = Math.max(closed + FEW, Math.ceil(closers.length * share));
    for (const close of closers.slice(closed, until)) close();
    closed = until;
    if (closed >= closers.length) return;
    await sleep(clock, BETWEEN_MS, signal);
  }
}
