/** Adds an update to those that wait for an iterator. The result must be bounded. */
export type Conflate<TUpdate> = (waiting: readonly TUpdate[], next: TUpdate) => readonly TUpdate[];

export interface ConflatingIteratorOptions<TUpdate> {
  readonly conflate: Conflate<TUpdate>;
  /** Called by the first `next()`. Returns the first update, or null if there is none yet. */
  readonly onStart: (iterator: ConflatingIterator<TUpdate>) => TUpdate | null;
  /** Called once when the consumer or the stream ends the iteration. */
  readonly onEnd: (iterator: ConflatingIterator<TUpdate>) => void;
}

interface PendingNext<TUpdate> {
  readonly resolve: (result: IteratorResult<TUpdate>) => void;
  readonly reject: (error: Error) => void;
}

/** Iterator over a stream that conflates updates while its consumer is busy. Starts with the first `next()`. */
export class ConflatingIterator<TUpdate> implements AsyncIterableIterator<TUpdate> {
  readonly #options: ConflatingIteratorOptions<TUpdate>;
  #waiting: readonly TUpdate[] = [];
  #pendingNexts: PendingNext<TUpdate>[] = [];
  #state: 'IDLE' | 'RUNNING' | 'DONE' = 'IDLE';
  #error: Error | null = null;

  constructor(options: ConflatingIteratorOptions<TUpdate>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(update: TUpdate): void {
    if (this.#state === 'DONE') return;
    const pending = this.#pendingNexts.shift();
    if (pending === undefined) this.#waiting = this.#options.conflate(this.#waiting, update);
    else pending.resolve({ done: false, value: update });
  }

  /** Ends the iteration after the waiting updates. */
  end(error: Error | null): void {
    if (this.#state === 'DONE') return;
    this.#state = 'DONE';
    this.#error = error;
    for (const pending of this.#pendingNexts.splice(0)) this.#settleLast(pending);
    this.#options.onEnd(this);
  }

  next(): Promise<IteratorResult<TUpdate>> {
    if (this.#state === 'IDLE') {
      this.#state = 'RUNNING';
      const first = this.#options.onStart(this);
      if (first !== null) this.#waiting = [first];
    }
    const [update, ...rest] = this.#waiting;
    if (update !== undefined) {
      this.#waiting = rest;
      return Promise.resolve({ done: false, value: update });
    }
    return new Promise((resolve, reject) => {
      if (this.#state === 'DONE') this.#settleLast({ resolve, reject });
      else this.#pendingNexts.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiting = [];
    this.end(null);
    this.#error = null;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Rejects with the error of the stream once, then reports the end. */
  #settleLast({ resolve, reject }: PendingNext<TUpdate>): void {
    const error = this.#error;
    this.#error = null;
    if (error === null) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
