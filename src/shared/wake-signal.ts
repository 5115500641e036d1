import type { Clock } from './clock.js';

/** Wakes one waiter. Remembers a call of `wake` without a waiter for the next wait. */
export class WakeSignal {
  readonly #clock: Clock;
  #isWoken = false;
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    if (this.#wake === null) this.#isWoken = true;
    else this.#wake();
  }

  /**
   * Resolves after `delayMs`, at the next call of `wake`, or when `signal` is aborted. Only one wait at a time.
   * @param delayMs null to wait without a time limit
   */
  wait(delayMs: number | null, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) {
      this.#isWoken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const finish = (): void => {
        timer?.[Symbol.dispose]();
        signal.removeEventListener('abort', finish);
        this.#wake = null;
        resolve();
      };
      const timer = delayMs === null ? null : this.#clock.schedule(delayMs, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = finish;
    });
  }
}
