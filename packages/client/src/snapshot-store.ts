/** Something that can be looked at now, and tells when it is something else. Both functions may be passed on by themselves. */
export interface SnapshotSource<TSnapshot> {
  /**
   * Calls `listener` after each change, until the function that it returns is called.
   * `useSyncExternalStore(stream.subscribe, stream.getSnapshot)` is all that React needs.
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** What it is now: immutable, and the same object as long as nothing changes. */
  readonly getSnapshot: () => TSnapshot;
}

/** The simplest `Observable`: holds one snapshot, which its owner replaces. */
export class SnapshotStore<TSnapshot> implements SnapshotSource<TSnapshot> {
  readonly #listeners = new Set<{ readonly listener: () => void }>();
  #snapshot: TSnapshot;

  constructor(snapshot: TSnapshot) {
    this.#snapshot = snapshot;
  }

  readonly getSnapshot = (): TSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    // The same function may listen twice, and then leaves twice.
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

/** What somebody else's function throws is told where all that nobody catches is told, and stops nothing here. */
function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
