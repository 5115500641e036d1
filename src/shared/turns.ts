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

/** Calls `act` for each item, in order and in several turns of the event loop if the items take long. */
export async function forEachInTurns<T>(items: Iterable<T>, act: (item: T) => void): Promise<void> {
  let sliceEndMs = performance.now() + SLICE_MS;
  for (const item of items) {
    if (performance.now() >= sliceEndMs) {
      await nextTurn();
      sliceEndMs = performance.now() + SLICE_MS;
    }
    act(item);
  }
}
