/**
 * Current value with change notifications. The functions are bound, so that
 * `useSyncExternalStore(source.subscribe, source.getSnapshot, source.getServerSnapshot)` works in React.
 */
export interface SnapshotSource<TSnapshot> {
  /** Calls `listener` after each change. Returns a function that unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Returns the current snapshot. It is immutable, and the same object until something changes. */
  readonly getSnapshot: () => TSnapshot;
  /** Returns the initial snapshot, for server-side rendering and hydration. Always the same object. */
  readonly getServerSnapshot: () => TSnapshot;
}

/** Snapshot source whose owner replaces the snapshot. */
export class SnapshotStore<TSnapshot> implements SnapshotSource<TSnapshot> {
  readonly #listeners = new Set<{ readonly listener: () => void }>();
  readonly #initial: TSnapshot;
  #snapshot: TSnapshot;

  constructor(snapshot: TSnapshot) {
    this.#initial = snapshot;
    this.#snapshot = snapshot;
  }

  readonly getSnapshot = (): TSnapshot => this.#snapshot;

  readonly getServerSnapshot = (): TSnapshot => this.#initial;

  readonly subscribe = (listener: () => void): (() => void) => {
    // The entry makes two subscriptions of one function distinct.
    const entry = { listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  };

  set(snapshot: TSnapshot): void {
    if (Object.is(snapshot, this.#snapshot)) return;
    this.#snapshot = snapshot;
    for (const entry of [...this.#listeners]) if (this.#listeners.has(entry)) callSafely(entry.listener);
  }
}

/** Reports an error of a listener as an uncaught error, so that it does not keep other listeners from being called. */
function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
