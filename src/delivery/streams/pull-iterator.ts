/**
 * An async iterator that can be left at any moment. An async generator cannot: its `return()` waits for the `await`
 * that it stands at, and a stream with nothing to say may stand there for hours.
 */
export function createPullIterator<T>(source: PullSource<T>): AsyncIterableIterator<T> {
  const left = new AbortController();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    left.abort();
    source.close();
  };
  const iterator: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (closed) return { done: true, value: undefined };
      try {
        const value = await source.next(left.signal);
        if (!left.signal.aborted && value !== null) return { done: false, value };
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
  /** The next value, or `null` at the end; must resolve soon after `signal` is aborted, its value is dropped then. */
  next(signal: AbortSignal): Promise<T | null>;
  /** Called once, when the reader has left or the source has ended. */
  close(): void;
}
