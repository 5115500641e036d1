import { MODE_HZ, type PerformanceMode } from '../../model/index.js';

/** Highest update rate of the streams of one connection. Streams follow changes while they run. */
export class RateLimit {
  readonly #listeners = new Set<() => void>();
  #maxHz: number | null;

  constructor(maxHz: number | null = null) {
    this.#maxHz = maxHz;
  }

  /** Updates per second that the client accepts. Null if it has no limit. */
  get maxHz(): number | null {
    return this.#maxHz;
  }

  set maxHz(maxHz: number | null) {
    if (maxHz === this.#maxHz) return;
    this.#maxHz = maxHz;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Returns the updates per second of a mode, limited to what the client accepts. */
  hzOf(mode: PerformanceMode): number {
    return Math.min(MODE_HZ[mode], this.#maxHz ?? Infinity);
  }

  /** Calls a function after each change. Dispose to stop. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Runs a wait with a signal that is aborted when the limit changes or `signal` is aborted. */
  async waitUntilChange(signal: AbortSignal, wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    using _listener = this.onChange(abort);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      await wait(controller.signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
