import type { ExecutionResult } from 'graphql';

/** A stream that gives something back when it is over, in whatever way: once it has ended, failed or been left. */
export class ReleasingStream<T extends ExecutionResult> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #lease: Disposable;

  constructor(source: AsyncIterable<T>, lease: Disposable) {
    this.#source = source[Symbol.asyncIterator]();
    this.#lease = lease;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#source.next();
      if (result.done === true) this.#lease[Symbol.dispose]();
      return result;
    } catch (error) {
      this.#lease[Symbol.dispose]();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#lease[Symbol.dispose]();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
