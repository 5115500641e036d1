import type { SwarmlensEvent } from '../model/index.js';

/**
 * The last happenings of all servers, numbered. Readers hold a number, not a queue; one that fell behind the oldest
 * that is kept learns how many it missed.
 */
export class EventRing {
  readonly #events: SwarmlensEvent[] = [];
  readonly #maxEvents: number;
  #next = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** Where a reader stands that wants only what is still to come. */
  get end(): number {
    return this.#next;
  }

  append(event: SwarmlensEvent): void {
    this.#events.push(event);
    this.#next += 1;
    if (this.#events.length > this.#maxEvents) this.#events.shift();
  }

  /** What happened since `position`, oldest first, and how many of it are no longer kept. */
  since(position: number): EventsSince {
    const first = this.#next - this.#events.length;
    const from = Math.max(position, first);
    return { events: this.#events.slice(from - first), missed: from - position, end: this.#next };
  }
}

export interface EventsSince {
  readonly events: readonly SwarmlensEvent[];
  readonly missed: number;
  readonly end: number;
}
