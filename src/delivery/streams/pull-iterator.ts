/**
 * Creates an async iterator that a reader can close at any time. The `return()` of an async generator waits for its pending
 * `await`, which may take hours in a stream without changes.
 */
export function createPullIterator<T>(source: PullSource<T>): AsyncIterableIterator<T> {
  const abort = new AbortController();
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    abort.abort();
    source.close();
  };
  const iterator: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (isClosed) return { done: true, value: undefined };
      try {
        const value = await source.next(abort.signal);
        if (!abort.signal.aborted && value !== null) return { done: false, value };
      } catch (error) {
        close();
        throw error;
      }
      close();
      return { done: true, value: undefined };
    },
    return() {
      close();
      return Promise.resolve({ done: true, value: undefined });
    },
    throw(error) {
      close();
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    },
  };
  return iterator;
}

export interface PullSource<T> {
  /** Returns the next value, or null at the end. Must resolve soon after `signal` is aborted; the value is then dropped. */
  next(signal: AbortSignal): Promise<T | null>;
  /** Releases the source. Called once, when the reader closes the iterator or the source ends. */
  close(): void;
}
