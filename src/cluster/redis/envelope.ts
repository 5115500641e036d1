import type { RedisTime } from './redis-time.js';
import type { RefusalReason } from './refusals.js';
import type { Seal } from './seal.js';

/** Version of all data that nodes exchange over Redis. Data of another version is ignored. */
export const WIRE_VERSION = '2';
/** Age in milliseconds from which on a message is ignored. Until then, its number shows whether it is repeated. */
const MAX_AGE_MS = 60_000;
/** Maximum number of remembered senders, because a stranger can invent senders where messages are not signed. */
const MAX_SENDERS = 10_000;
/** Maximum number of characters of a message. Bounds the time that its receivers are busy with it. */
const MAX_LENGTH = 1_048_576;

/** Thrown for a message that no node would accept. */
export class MessageTooLongError extends Error {
  override readonly name = 'MessageTooLongError';
}

/** Message of a node. */
export interface Sealed {
  readonly senderId: string;
  /** Text of the message, which may be invalid JSON. */
  readonly json: string;
}

export interface EnvelopeDeps {
  readonly nodeId: string;
  readonly seal: Seal;
  readonly time: RedisTime;
}

/** Writes messages as `version signature sender time number json`. */
export class EnvelopeWriter {
  readonly #deps: EnvelopeDeps;
  #number = 0;

  constructor(deps: EnvelopeDeps) {
    this.#deps = deps;
  }

  /** @throws MessageTooLongError */
  write(channel: string, message: unknown): string {
    const { nodeId, seal, time } = this.#deps;
    this.#number += 1;
    const signed = `${nodeId} ${time.now()} ${this.#number} ${JSON.stringify(message)}`;
    const text = `${WIRE_VERSION} ${seal.sign(channel, signed)} ${signed}`;
    if (text.length > MAX_LENGTH) throw new MessageTooLongError(`the message has more than ${MAX_LENGTH} characters`);
    return text;
  }
}

const SHAPE = /^([^ ]{1,16}) ([\w-]{1,64}) (([^ ]{1,64}) (\d{1,16}) (\d{1,16}) )/;

/** Reads the messages of one subscription. Refuses forged, moved, old and repeated ones. */
export class EnvelopeReader {
  readonly #deps: EnvelopeDeps;
  /** Last number of each sender, and the time of its message, by channel and sender. */
  readonly #last = new Map<string, { readonly number: number; readonly atMs: number }>();

  constructor(deps: EnvelopeDeps) {
    this.#deps = deps;
  }

  /** Returns the message, or the reason for which it is refused. */
  read(channel: string, text: string): Sealed | RefusalReason {
    if (text.length > MAX_LENGTH) return 'oversized';
    const [head, version, signature = '', , senderId = '', at, number] = SHAPE.exec(text) ?? [];
    if (head === undefined || version !== WIRE_VERSION) return 'version';
    const { seal, time } = this.#deps;
    const refusal = seal.refusalOf(channel, text.slice(version.length + signature.length + 2), signature);
    if (refusal !== null) return refusal;
    const atMs = Number(at);
    if (Math.abs(time.now() - atMs) > MAX_AGE_MS) return 'expired';
    if (!this.#isNext(`${channel} ${senderId}`, Number(number), atMs)) return 'replayed';
    return { senderId, json: text.slice(head.length) };
  }

  #isNext(sender: string, number: number, atMs: number): boolean {
    if (number <= (this.#last.get(sender)?.number ?? 0)) return false;
    // The most recent senders are at the end.
    this.#last.delete(sender);
    this.#last.set(sender, { number, atMs });
    const [oldest] = this.#last;
    // Messages that are repeated after this time are refused because of their age.
    if (oldest === undefined) return true;
    const isForgotten = this.#deps.time.now() - oldest[1].atMs > 2 * MAX_AGE_MS || this.#last.size > MAX_SENDERS;
    if (isForgotten) this.#last.delete(oldest[0]);
    return true;
  }
}
