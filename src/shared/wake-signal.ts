import type { Clock } from './clock.js';

/** One waiter that several causes can wake. A ring while nobody waits is remembered for the next wait. */
export class WakeSignal {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    if (this.#wake === null) this.#rung = true;
    else this.#wake();
  }

  /**
   * Resolves after `delayMs`, at the next ring, or when `signal` is aborted; only one wait at a time.
   * @param delayMs `null`: it takes a ring
   */
  wait(delayMs: number | null, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        timer?.[Symbol.dispose]();
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = delayMs === null ? null : this.#clock.schedule(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
