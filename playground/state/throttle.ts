/** Shortest interval between two calls in milliseconds. Text changes less often than the graph, so that it can be read. */
const MIN_INTERVAL_MS = 250;
/** Interval as a multiple of the time that the last call took, so that a page with many agents stays responsive. */
const WORK_FACTOR = 8;

/**
 * Returns a function that calls `work` at once, but never more than a few times per second. Calls in between are merged. Needs no
 * timer if the calls are rare, because browsers slow the timers of hidden pages down.
 */
export function throttle(work: () => void): () => void {
  let isScheduled = false;
  let intervalMs = MIN_INTERVAL_MS;
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (isScheduled) return;
    const run = (): void => {
      isScheduled = false;
      const startMs = performance.now();
      work();
      lastMs = performance.now();
      intervalMs = Math.max(MIN_INTERVAL_MS, WORK_FACTOR * (lastMs - startMs));
    };
    const delayMs = lastMs + intervalMs - performance.now();
    if (delayMs <= 0) {
      run();
      return;
    }
    isScheduled = true;
    setTimeout(run, delayMs);
  };
}
