import type { StreamRate } from './ticks/rate-meter.js';

/** Registry of running streams and their rates. */
export class ActiveStreams {
  readonly #entries = new Set<{ readonly rate: (() => StreamRate) | null }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Registers a stream until disposed. `rate` is null for a stream without a rate. */
  add(rate: (() => StreamRate) | null): Disposable {
    const entry = { rate };
    this.#entries.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(entry);
      },
    };
  }

  /** Returns the rates of all streams. Null for a stream without a rate. */
  all(): readonly (StreamRate | null)[] {
    return [...this.#entries].map(({ rate }) => rate?.() ?? null);
  }

  /** Returns the rates of all streams with a rate above 0. */
  rates(): readonly StreamRate[] {
    return this.all().flatMap((rate) => (rate === null || rate.requestedHz === 0 ? [] : [rate]));
  }
}
