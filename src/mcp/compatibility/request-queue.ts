type Id = string | number;

/** Sends one request at a time: the next one as soon as the previous one is answered or canceled. */
export class RequestQueue {
  #inFlight: Id | null = null;
  #hasEnded = false;
  readonly #waiters: { readonly id: Id; readonly send: () => void; readonly reject: (error: Error) => void }[] = [];

  /** Calls `write` when all earlier requests are settled. Rejects if the connection ends before that. */
  enqueue(id: Id, write: () => Promise<void>): Promise<void> {
    if (this.#hasEnded) return Promise.reject(new Error('Not connected'));
    const send = async (): Promise<void> => {
      this.#inFlight = id;
      try {
        await write();
      } catch (error) {
        this.complete(id);
        throw error;
      }
    };
    if (this.#inFlight === null) return send();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ id, send: () => void send().then(resolve, reject), reject });
    });
  }

  /** Marks a request as answered and sends the next one. */
  complete(id: Id): void {
    if (this.#inFlight !== id) return;
    this.#inFlight = null;
    this.#waiters.shift()?.send();
  }

  /** Gives up a request. Returns true if the request was never sent. */
  cancel(id: Id): boolean {
    const index = this.#waiters.findIndex((request) => request.id === id);
    if (index < 0) {
      this.complete(id);
      return false;
    }
    for (const { reject } of this.#waiters.splice(index, 1)) reject(new Error('canceled'));
    return true;
  }

  /** Rejects all waiting requests and all later ones. */
  end(): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiters.splice(0)) reject(new Error('Not connected'));
  }
}
