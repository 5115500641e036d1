/**
 * Starts a write when the one before it is done, so that each is handed to the system by itself: there are servers that
 * take what arrives together for one message.
 */
export class OneByOne {
  #last: Promise<void> = Promise.resolve();

  /** @param write calls `done` once, also when it failed, and throws nothing */
  add(write: (done: () => void) => void): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => write(resolve)));
    return this.#last;
  }
}
