type Id = string | number;

/** Sends a request when the one before it has been answered or given up. */
export class RequestQueue {
  #inFlight: Id | null = null;
  #hasEnded = false;
  readonly #waiters: { readonly id: Id; readonly go: () => void; readonly drop: (error: Error) => void }[] = [];

  /** @returns what `write` returns; it rejects when the connection ends before its turn */
  enqueue(id: Id, write: () => Promise<void>): Promise<void> {
    if (this.#hasEnded) return Promise.reject(new Error('Not connected'));
    const go = async (): Promise<void> => {
      this.#inFlight = id;
      try {
        await write();
      } catch (error) {
        this.complete(id);
        throw error;
      }
    };
    if (this.#inFlight === null) return go();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ id, go: () => void go().then(resolve, reject), drop: reject });
    });
  }

  /** It has been answered. */
  complete(id: Id): void {
    if (this.#inFlight !== id) return;
    this.#inFlight = null;
    this.#waiters.shift()?.go();
  }

  /** Nobody waits for its answer any more. @returns whether it has never been sent */
  cancel(id: Id): boolean {
    const index = this.#waiters.findIndex((one) => one.id === id);
    if (index < 0) {
      this.complete(id);
      return false;
    }
    for (const { drop } of this.#waiters.splice(index, 1)) drop(new Error('given up'));
    return true;
  }

  end(): void {
    this.#hasEnded = true;
    for (const { drop } of this.#waiters.splice(0)) drop(new Error('Not connected'));
  }
}
