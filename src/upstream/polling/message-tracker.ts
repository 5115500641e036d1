import type { AgentMessage } from '../../model/index.js';

/** Maximum number of messages of one report. The newest are read. */
export const MAX_MESSAGES = 1_000;
/** Number of remembered ids. Larger than a report, so that a message that is listed again is recognized. */
const MAX_KNOWN = 2 * MAX_MESSAGES;

/** Recognizes the messages of a server that no earlier report contained, because reports repeat messages. */
export class MessageTracker {
  /** Ids of known messages, the most recently listed last. */
  readonly #known: Set<string>;
  /** Time from which messages of the first report are new (RFC 3339, UTC). Null if its messages are history. */
  readonly #since: string | null;
  #isFirst = true;

  /**
   * @param published messages of the server that were published before, perhaps by another node
   * @param lastSeenAt time at which the server last answered. Null if it never did; its first report is then history
   */
  constructor(published: readonly AgentMessage[], lastSeenAt: string | null) {
    this.#known = new Set(published.map(({ id }) => id));
    this.#since = lastSeenAt;
  }

  /** Returns the new messages of a report, in their order. */
  takeNew(listed: readonly AgentMessage[]): readonly AgentMessage[] {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const fresh = listed.filter(({ id, sentAt }) => {
      const isKnown = this.#known.delete(id);
      this.#known.add(id);
      return !isKnown && (!isFirst || (this.#since !== null && sentAt > this.#since));
    });
    for (const id of this.#known) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(id);
    }
    return fresh;
  }
}
