import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time in milliseconds after which the messages of WebSockets let other work run. */
const MAX_MS_PER_TURN = 2;

/** Limits the time that the messages of all WebSockets take in one turn of the event loop. */
export class MessageTurns {
  readonly #now: () => number;
  /** Time at which the first message of this turn arrived. Null if none has arrived. */
  #startMs: number | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(now = (): number => performance.now()) {
    this.#now = now;
  }

  /** Returns whether a message may be handled in this turn. */
  hasTime(): boolean {
    const nowMs = this.#now();
    if (this.#startMs === null) {
      this.#startMs = nowMs;
      setImmediate(() => (this.#startMs = null));
    }
    return nowMs - this.#startMs < MAX_MS_PER_TURN;
  }

  /** Resolves when a message may be handled, in the order of the calls. */
  next(): Promise<void> {
    this.#last = this.#last.then(async () => {
      while (!this.hasTime()) await nextTurn();
    });
    return this.#last;
  }
}
