/** Limits how many leases each key may hold at a time. */
export class ConcurrencyLimiter {
  readonly #max: number;
  readonly #held = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Number of keys that hold a lease. */
  get size(): number {
    return this.#held.size;
  }

  /** Acquires a lease. @returns the lease, which may be disposed repeatedly, or null if the limit is reached */
  acquire(key: string): Disposable | null {
    const held = this.#held.get(key) ?? 0;
    if (held >= this.#max) return null;
    this.#held.set(key, held + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const remaining = (this.#held.get(key) ?? 1) - 1;
        if (remaining === 0) this.#held.delete(key);
        else this.#held.set(key, remaining);
      },
    };
  }
}
