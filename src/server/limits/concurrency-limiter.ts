/** At most so many at a time for each key. */
export class ConcurrencyLimiter {
  readonly #max: number;
  readonly #taken = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Keys of which something is taken. */
  get size(): number {
    return this.#taken.size;
  }

  /** @returns what gives it back when it is disposed of, once or more often; `null`: there is none left */
  acquire(key: string): Disposable | null {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#max) return null;
    this.#taken.set(key, taken + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (this.#taken.get(key) ?? 1) - 1;
        if (left === 0) this.#taken.delete(key);
        else this.#taken.set(key, left);
      },
    };
  }
}
