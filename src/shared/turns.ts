/** Longest part of a computation in one turn of the event loop, in milliseconds. */
const SLICE_MS = 8;

/** Computations that wait for their next turn. One of them continues in each turn of the event loop. */
const waiting: (() => void)[] = [];

/**
 * Resolves in a later turn of the event loop, so that timers and sockets are served in between. Long computations take
 * turns: one of them continues in each turn, however many there are.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(continueNext);
  });
}

function continueNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(continueNext);
}

/**
 * Calls `act` for each item, in order and in several turns of the event loop if the items take long.
 * @param measure runs the part of one turn
 */
export async function forEachInTurns<T>(
  items: Iterable<T>,
  act: (item: T) => void,
  measure: (work: () => boolean) => boolean = (work) => work(),
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  /** Returns whether all items are done. */
  const runSlice = (): boolean => {
    const sliceEndMs = performance.now() + SLICE_MS;
    do {
      const next = iterator.next();
      if (next.done === true) return true;
      act(next.value);
    } while (performance.now() < sliceEndMs);
    return false;
  };
  while (!measure(runSlice)) await nextTurn();
}
