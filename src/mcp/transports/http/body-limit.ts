import type { FetchLike } from '@modelcontextprotocol/client';

/** Separator of two events in a stream: a line end and at least one empty line. */
const EVENT_SEPARATOR = /(?:\r\n|\n|\r(?!\n)){2,}/g;
/** Number of bytes of a separator that may be at the end of the previous chunk. */
const OVERLAP_BYTES = 3;

/**
 * Wraps `fetch` so that reading a body fails when it is longer than `maxBytes`. In an event stream the limit applies to
 * each event, not counting line ends. The official client has no limit of its own.
 * @param onTooLong called once for each body that fails
 */
export function fetchWithBodyLimit(inner: FetchLike, maxBytes: number, onTooLong: () => void): FetchLike {
  return async (url, init) => {
    const response = await inner(url, init);
    const { body, status, statusText, headers } = response;
    if (body === null || !response.ok) return response;
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
    const limit = new TransformStream<Uint8Array, Uint8Array>(new BodyLimit(maxBytes, isStream, onTooLong));
    return new Response(body.pipeThrough(limit), { status, statusText, headers });
  };
}

class BodyLimit implements Transformer<Uint8Array, Uint8Array> {
  readonly #maxBytes: number;
  readonly #isStream: boolean;
  readonly #onTooLong: () => void;
  #bytes = 0;
  #last = '';

  constructor(maxBytes: number, isStream: boolean, onTooLong: () => void) {
    this.#maxBytes = maxBytes;
    this.#isStream = isStream;
    this.#onTooLong = onTooLong;
  }

  transform(chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>): void {
    if (this.#isTooLong(chunk)) {
      controller.error(new Error(`body is longer than ${this.#maxBytes} bytes`));
      this.#onTooLong();
    } else controller.enqueue(chunk);
  }

  #isTooLong(chunk: Uint8Array): boolean {
    const text = this.#last + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    let start = this.#last.length;
    for (const { index, 0: blank } of this.#isStream ? text.matchAll(EVENT_SEPARATOR) : []) {
      const end = index + blank.length;
      // This separator was already handled with the previous chunk.
      if (end <= this.#last.length) continue;
      if (this.#bytes + index - start > this.#maxBytes) return true;
      this.#bytes = 0;
      start = end;
    }
    this.#bytes += text.length - start;
    this.#last = text.slice(-OVERLAP_BYTES);
    return this.#bytes > this.#maxBytes;
  }
}
