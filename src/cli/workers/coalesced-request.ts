import type { Clock } from '../../shared/index.js';

/**
 * A text that another process is asked for, again and again. Whoever asks while an answer is awaited gets the same one, so
 * that nothing piles up on the way to one that does not answer.
 */
export class CoalescedRequest {
  readonly #send: () => void;
  readonly #waiters = new Set<(answer: string | null) => void>();
  #isOnItsWay = false;

  /** @param send asks the other process; not called again before it has answered */
  constructor(send: () => void) {
    this.#send = send;
  }

  /** @returns `null`: there was no answer within this time, or none is to be had */
  ask(clock: Clock, withinMs: number): Promise<string | null> {
    return new Promise((resolve) => {
      const settle = (answer: string | null): void => {
        patience[Symbol.dispose]();
        this.#waiters.delete(settle);
        resolve(answer);
      };
      const patience = clock.schedule(withinMs, () => settle(null));
      this.#waiters.add(settle);
      if (this.#isOnItsWay) return;
      this.#isOnItsWay = true;
      this.#send();
    });
  }

  /** @param text empty: none is to be had */
  answer(text: string): void {
    this.#isOnItsWay = false;
    for (const settle of [...this.#waiters]) settle(text === '' ? null : text);
  }
}
