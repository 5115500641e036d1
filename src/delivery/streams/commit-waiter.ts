import type { Store } from '../../state/index.js';

/** Lets streams wait for the store to move. One listener on the store serves all of them. */
export class CommitWaiter implements Disposable {
  readonly #store: Store;
  readonly #waiters = new Set<() => void>();
  readonly #listener: Disposable;

  constructor(store: Store) {
    this.#store = store;
    this.#listener = store.onCommit(() => {
      for (const look of [...this.#waiters]) look();
    });
  }

  /** Streams that wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when `moved` says that there is something to look at, or when `signal` is aborted. */
  wait(moved: (store: Store) => boolean, signal: AbortSignal): Promise<void> {
    if (signal.aborted || moved(this.#store)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiters.delete(look);
        resolve();
      };
      const look = (): void => {
        if (moved(this.#store)) done();
      };
      this.#waiters.add(look);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }
}
