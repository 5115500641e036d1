import type { RateMeter, StreamRate } from './rate-meter.js';

/** The streams that run, and how fast, for whoever wants to look. */
export class ActiveStreams {
  readonly #entries = new Set<{ readonly meter: RateMeter | null }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Counts one stream until disposed; `meter` of a stream that has a rate. */
  add(meter: RateMeter | null): Disposable {
    const entry = { meter };
    this.#entries.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#entries.delete(entry);
      },
    };
  }

  /** Of the streams that ask for more than nothing. */
  rates(): readonly StreamRate[] {
    return [...this.#entries]
      .flatMap(({ meter }) => (meter === null ? [] : [meter.rate()]))
      .filter(({ requestedHz }) => requestedHz > 0);
  }
}
