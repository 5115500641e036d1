import type { StreamRate } from './ticks/rate-meter.js';

/** The streams that run, and how fast, for whoever wants to look. */
export class ActiveStreams {
  readonly #entries = new Set<{ readonly rate: (() => StreamRate) | null }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Counts one stream until disposed; `rate` of a stream that has one. */
  add(rate: (() => StreamRate) | null): Disposable {
    const entry = { rate };
    this.#entries.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(entry);
      },
    };
  }

  /** Of all streams; `null`: of one that has no rate. */
  all(): readonly (StreamRate | null)[] {
    return [...this.#entries].map(({ rate }) => rate?.() ?? null);
  }

  /** Of the streams that ask for more than nothing. */
  rates(): readonly StreamRate[] {
    return this.all().flatMap((rate) => (rate === null || rate.requestedHz === 0 ? [] : [rate]));
  }
}
