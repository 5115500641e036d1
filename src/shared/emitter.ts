/** A set of callbacks for one kind of happening. One that throws does not keep the others from being called. */
export class Emitter<T> {
  readonly #callbacks = new Set<(value: T) => void>();

  get size(): number {
    return this.#callbacks.size;
  }

  /** Adds a callback; dispose to remove it. */
  add(callback: (value: T) => void): Disposable {
    // A wrapper of its own, so that one function added twice is called twice and removed once.
    const entry = (value: T): void => callback(value);
    this.#callbacks.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#callbacks.delete(entry);
      },
    };
  }

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
