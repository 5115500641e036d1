/** Something that can be looked at now, and tells when it is something else. Both methods may be passed on by themselves. */
export interface Observable<TSnapshot> {
  /**
   * Calls `listener` after each change, until the function that it returns is called.
   * `useSyncExternalStore(stream.subscribe, stream.getSnapshot)` is all that React needs.
   */
  readonly subscribe: (listener: () => void) => () => void;
  /** What it is now: immutable, and the same object as long as nothing changes. */
  readonly getSnapshot: () => TSnapshot;
}
