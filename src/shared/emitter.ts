/** Set of callbacks for one kind of event. A callback that throws does not prevent the others from being called. */
export class Emitter<T> {
  readonly #callbacks = new Set<(value: T) => void>();

  get size(): number {
    return this.#callbacks.size;
  }

  /** Adds a callback. Dispose to remove it. */
  add(callback: (value: T) => void): Disposable {
    // The wrapper is unique, so that a function that is added twice is called twice, and removed separately.
    const entry = (value: T): void => callback(value);
    this.#callbacks.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#callbacks.delete(entry);
      },
    };
  }

  /** @throws the first error of a callback, after all callbacks have been called */
  emit(value: T): void {
    let failure: { error: unknown } | undefined;
    for (const callback of [...this.#callbacks]) {
      try {
        callback(value);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
