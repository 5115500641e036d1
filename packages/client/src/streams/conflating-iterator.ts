/** Adds an update to those that wait for an iteration. What it gives back must not grow without end. */
export type Conflate<TUpdate> = (waiting: readonly TUpdate[], next: TUpdate) => readonly TUpdate[];

export interface ConflatingIteratorOptions<TUpdate> {
  readonly merge: Conflate<TUpdate>;
  /** The first `next()` has been called. @returns what there is already; `null`: nothing */
  readonly onBegin: (mailbox: ConflatingIterator<TUpdate>) => TUpdate | null;
  /** It is over, from whichever side. */
  readonly onLeave: (mailbox: ConflatingIterator<TUpdate>) => void;
}

interface PendingNext<TUpdate> {
  readonly resolve: (result: IteratorResult<TUpdate>) => void;
  readonly reject: (error: Error) => void;
}

/** One iteration of a stream. It begins with the first `next()`, and holds what comes until it is asked for. */
export class ConflatingIterator<TUpdate> implements AsyncIterableIterator<TUpdate> {
  readonly #options: ConflatingIteratorOptions<TUpdate>;
  #waiters: readonly TUpdate[] = [];
  #readers: PendingNext<TUpdate>[] = [];
  #state: 'NEW' | 'RUNNING' | 'OVER' = 'NEW';
  #error: Error | null = null;

  constructor(options: ConflatingIteratorOptions<TUpdate>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(update: TUpdate): void {
    if (this.#state === 'OVER') return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#waiters = this.#options.merge(this.#waiters, update);
    else reader.resolve({ done: false, value: update });
  }

  /** The stream is over. What waits is still given. */
  end(error: Error | null): void {
    if (this.#state === 'OVER') return;
    this.#state = 'OVER';
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#last(reader);
    this.#options.onLeave(this);
  }

  next(): Promise<IteratorResult<TUpdate>> {
    if (this.#state === 'NEW') {
      this.#state = 'RUNNING';
      const first = this.#options.onBegin(this);
      if (first !== null) this.#waiters = [first];
    }
    const [update, ...rest] = this.#waiters;
    if (update !== undefined) {
      this.#waiters = rest;
      return Promise.resolve({ done: false, value: update });
    }
    return new Promise((resolve, reject) => {
      if (this.#state === 'OVER') this.#last({ resolve, reject });
      else this.#readers.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiters = [];
    this.end(null);
    this.#error = null;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The error is told once. */
  #last({ resolve, reject }: PendingNext<TUpdate>): void {
    const error = this.#error;
    this.#error = null;
    if (error === null) resolve({ done: true, value: undefined });
    else reject(error);
  }
}
