import { MAX_DIRECT_BYTES } from './json-slicer.js';
import { nextTurn } from '../turns.js';
import { parseJsonInTurns } from './parse-in-turns.js';

/** @typeParam S source of a message */
export interface JsonMessageReaderEvents<S> {
  /** Receives each message with its text, in order. */
  readonly onMessage: (message: unknown, text: Buffer, source: S) => void;
  /** Receives each text that is not JSON, in order. */
  readonly onInvalid: (text: Buffer, source: S) => void;
  /** Called with true when a message takes several turns, and with false when no message waits any longer. */
  readonly onBusy: (isBusy: boolean) => void;
}

/** Parses JSON messages in order. Long messages take several turns of the event loop, and later messages wait for them. */
export class JsonMessageReader<S = null> {
  readonly #events: JsonMessageReaderEvents<S>;
  readonly #waiting: ((() => void) | (() => Promise<void>))[] = [];
  #isBusy = false;

  constructor(events: JsonMessageReaderEvents<S>) {
    this.#events = events;
  }

  /** Whether messages wait, or one is being parsed. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  push(text: Buffer, source: S): void {
    if (text.length > MAX_DIRECT_BYTES) this.#enqueue(() => this.#readInTurns(text, source));
    else if (this.#isBusy) this.#waiting.push(() => this.#readDirectly(text, source));
    else this.#readDirectly(text, source);
  }

  /** Calls back when all earlier messages have been delivered: at once, or later. */
  afterMessages(callback: () => void): void {
    if (this.#isBusy) this.#waiting.push(callback);
    else callback();
  }

  #enqueue(read: () => Promise<void>): void {
    this.#waiting.push(read);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#events.onBusy(true);
    // Never rejects.
    this.#readAll().catch(() => undefined);
  }

  async #readAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await next();
      } catch (error) {
        // Reported like an error of a listener of events. Later messages do not wait forever because of it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#isBusy = false;
    this.#events.onBusy(false);
  }

  #readDirectly(text: Buffer, source: S): void {
    let message: unknown;
    try {
      message = JSON.parse(text.toString());
    } catch {
      this.#events.onInvalid(text, source);
      return;
    }
    this.#events.onMessage(message, text, source);
  }

  async #readInTurns(text: Buffer, source: S): Promise<void> {
    // A frame of many bytes has just been received in this turn.
    await nextTurn();
    const parsed = await parseJsonInTurns(text).then(
      (message) => ({ message }),
      () => null,
    );
    // The message is handled in a turn of its own.
    await nextTurn();
    if (parsed === null) this.#events.onInvalid(text, source);
    else this.#events.onMessage(parsed.message, text, source);
  }
}
