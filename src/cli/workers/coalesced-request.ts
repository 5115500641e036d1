import type { Clock } from '../../shared/index.js';

/**
 * Request for a text from another process. Concurrent callers share one answer, so that requests to a process that does
 * not answer do not accumulate.
 */
export class CoalescedRequest {
  readonly #send: () => void;
  readonly #waiters = new Set<(answer: string | null) => void>();
  #isPending = false;

  /** @param send sends the request; not called again before the answer arrives */
  constructor(send: () => void) {
    this.#send = send;
  }

  /** Requests the text. @returns null if no answer arrives within `timeoutMs` or the other process has none */
  request(clock: Clock, timeoutMs: number): Promise<string | null> {
    return new Promise((resolve) => {
      const settle = (answer: string | null): void => {
        timeout[Symbol.dispose]();
        this.#waiters.delete(settle);
        resolve(answer);
      };
      const timeout = clock.schedule(timeoutMs, () => settle(null));
      this.#waiters.add(settle);
      if (this.#isPending) return;
      this.#isPending = true;
      this.#send();
    });
  }

  /** Passes the answer to all callers. @param text text of the other process, empty if it has none */
  answer(text: string): void {
    this.#isPending = false;
    for (const settle of [...this.#waiters]) settle(text === '' ? null : text);
  }
}
