/**
 * Ring buffer of the most recent events of one kind, of all servers. Each reader keeps a position instead of a queue. A reader that falls
 * behind the oldest kept event receives the number of events that it missed.
 */
export class EventRing<E> {
  readonly #events: E[] = [];
  readonly #maxEvents: number;
  #next = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** Position after the newest event. */
  get end(): number {
    return this.#next;
  }

  append(event: E): void {
    this.#events.push(event);
    this.#next += 1;
    if (this.#events.length > this.#maxEvents) this.#events.shift();
  }

  /** Returns the events since `position`, oldest first, and the number of events that are no longer kept. */
  since(position: number): EventsSince<E> {
    const first = this.#next - this.#events.length;
    const from = Math.max(position, first);
    return { events: this.#events.slice(from - first), missed: from - position, end: this.#next };
  }
}

export interface EventsSince<E> {
  readonly events: readonly E[];
  readonly missed: number;
  readonly end: number;
}
