import { parseJsonInTurns } from './parse-in-turns.js';

/** Longest message in bytes that is parsed at once. */
const MAX_DIRECT_BYTES = 131_072;

export interface JsonMessageReaderEvents {
  /** Receives each message with its text, in order. Must not throw. */
  readonly onMessage: (message: unknown, text: Buffer) => void;
  /** Receives each text that is not JSON, in order. Must not throw. */
  readonly onInvalid: (text: Buffer) => void;
  /** Called with true when a message takes several turns, and with false when no message waits any longer. */
  readonly onBusy: (isBusy: boolean) => void;
}

/** Parses JSON messages in order. Long messages take several turns of the event loop, and later messages wait for them. */
export class JsonMessageReader {
  readonly #events: JsonMessageReaderEvents;
  readonly #waiting: (Buffer | (() => void))[] = [];
  #isBusy = false;

  constructor(events: JsonMessageReaderEvents) {
    this.#events = events;
  }

  push(text: Buffer): void {
    if (!this.#isBusy && text.length <= MAX_DIRECT_BYTES) this.#readDirectly(text);
    else this.#enqueue(text);
  }

  /** Calls back when all earlier messages have been delivered: at once, or later. */
  afterMessages(callback: () => void): void {
    if (this.#isBusy) this.#waiting.push(callback);
    else callback();
  }

  #enqueue(text: Buffer): void {
    this.#waiting.push(text);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#events.onBusy(true);
    // Never rejects.
    this.#readAll().catch(() => undefined);
  }

  async #readAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (typeof next === 'function') next();
      else if (next.length <= MAX_DIRECT_BYTES) this.#readDirectly(next);
      else await this.#readInTurns(next);
    }
    this.#isBusy = false;
    this.#events.onBusy(false);
  }

  #readDirectly(text: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(text.toString());
    } catch {
      this.#events.onInvalid(text);
      return;
    }
    this.#events.onMessage(message, text);
  }

  async #readInTurns(text: Buffer): Promise<void> {
    const parsed = await parseJsonInTurns(text).then(
      (message) => ({ message }),
      () => null,
    );
    if (parsed === null) this.#events.onInvalid(text);
    else this.#events.onMessage(parsed.message, text);
  }
}
