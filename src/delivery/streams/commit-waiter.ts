import type { Store } from '../../state/index.js';

/** Lets streams wait for the next commit with one listener on the store. */
export class CommitWaiter implements Disposable {
  readonly #store: Store;
  readonly #waiters = new Set<() => void>();
  readonly #listener: Disposable;

  constructor(store: Store) {
    this.#store = store;
    this.#listener = store.onCommit(() => {
      for (const check of [...this.#waiters]) check();
    });
  }

  /** Number of waiting streams. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when `condition` holds after a commit, or when `signal` is aborted. */
  wait(condition: (store: Store) => boolean, signal: AbortSignal): Promise<void> {
    if (signal.aborted || condition(this.#store)) return Promise.resolve();
    return new Promise((resolve) => {
      const resume = (): void => {
        signal.removeEventListener('abort', resume);
        this.#waiters.delete(check);
        resolve();
      };
      const check = (): void => {
        if (condition(this.#store)) resume();
      };
      this.#waiters.add(check);
      signal.addEventListener('abort', resume, { once: true });
    });
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }
}
