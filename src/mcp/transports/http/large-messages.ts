import { randomUUID } from 'node:crypto';
import type { FetchLike, JSONRPCMessage } from '@modelcontextprotocol/client';
import { MAX_DIRECT_BYTES, parseJsonInTurns } from '../../../shared/json/index.js';
import { parseMessage } from '../parse-message.js';
import { type EventStreamOptions, EventStreamRewriter } from './event-stream.js';

/** Member of the reference to a message. */
const REFERENCE = 'swarmlens/large-message';
/** Most messages that wait to be restored. The official client drops messages of canceled requests. */
const MAX_WAITING = 64;

/**
 * Messages that are too long for the official client, which parses at once. They are parsed in several turns of the event loop. The
 * official client gets a short reference instead, which `LargeMessageTransport` restores.
 */
export class LargeMessages {
  readonly #messages = new Map<string, JSONRPCMessage>();

  /**
   * Parses a text and returns the JSON of a message, or of a list of messages, that refers to it.
   * @throws Error if the text contains no messages
   */
  async replace(text: Buffer): Promise<string> {
    const value = await parseJsonInTurns(text);
    const reference = Array.isArray(value)
      ? value.slice(0, MAX_WAITING).map((one) => this.#store(one))
      : this.#store(value);
    return JSON.stringify(reference);
  }

  /** Returns the message that a reference stands for. Returns any other message unchanged. */
  restore(message: JSONRPCMessage): JSONRPCMessage {
    const body = 'result' in message ? message.result : 'params' in message ? message.params : undefined;
    const reference = body?.[REFERENCE];
    const restored = typeof reference === 'string' ? this.#messages.get(reference) : undefined;
    if (restored === undefined || typeof reference !== 'string') return message;
    this.#messages.delete(reference);
    // A client that resumes a stream gives the response the id of its request.
    return 'result' in restored && 'result' in message ? { ...restored, id: message.id } : restored;
  }

  #store(value: unknown): JSONRPCMessage {
    const message = parseMessage(value);
    // Errors are short, except for their text and data.
    if ('error' in message) {
      const { code, message: text } = message.error;
      return { ...message, error: { code, message: text.slice(0, MAX_DIRECT_BYTES) } };
    }
    const id = randomUUID();
    this.#messages.set(id, message);
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= MAX_WAITING) break;
      this.#messages.delete(oldest);
    }
    return 'result' in message
      ? { ...message, result: { [REFERENCE]: id } }
      : { ...message, params: { [REFERENCE]: id } };
  }
}

/**
 * Wraps `fetch` so that the official client gets references instead of long messages.
 * @param limit limit of the events of a stream
 */
export function fetchWithLargeMessages(
  inner: FetchLike,
  largeMessages: LargeMessages,
  limit: Pick<EventStreamOptions, 'maxBytes' | 'onTooLong'>,
): FetchLike {
  return async (url, init) => {
    const response = await inner(url, init);
    const { body, ok, status, statusText, headers } = response;
    const type = headers.get('content-type') ?? '';
    if (body === null || !ok) return response;
    if (type.startsWith('text/event-stream')) {
      const rewriter = new EventStreamRewriter({
        ...limit,
        maxDirectBytes: MAX_DIRECT_BYTES,
        replace: (data) => largeMessages.replace(data),
      });
      return new Response(body.pipeThrough(new TransformStream(rewriter)), { status, statusText, headers });
    }
    if (!/^application\/json\b/.test(type)) return response;
    const bytes = Buffer.from(await response.arrayBuffer());
    const json = bytes.length <= MAX_DIRECT_BYTES ? bytes : await largeMessages.replace(bytes);
    return new Response(json, { status, statusText, headers });
  };
}
