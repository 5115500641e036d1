import type { FetchLike } from '@modelcontextprotocol/client';

/** Between two events of a stream: the end of a line, and at least one line that is empty. */
const BLANK_LINES = /(?:\r\n|\n|\r(?!\n)){2,}/g;
/** What of it may have come with the chunk before. */
const OVERLAP = 3;

/**
 * `fetch`, whose bodies fail when they, or of an event stream one event, are longer than `maxBytes`, give or take the ends of lines: the official client
 * would keep whatever comes.
 * @param onTooLong is called once for each body that fails
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
      controller.error(new Error(`more than ${this.#maxBytes} bytes`));
      this.#onTooLong();
    } else controller.enqueue(chunk);
  }

  #isTooLong(chunk: Uint8Array): boolean {
    const text = this.#last + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    let from = this.#last.length;
    for (const { index, 0: blank } of this.#isStream ? text.matchAll(BLANK_LINES) : []) {
      const end = index + blank.length;
      // It was seen with the chunk before.
      if (end <= this.#last.length) continue;
      if (this.#bytes + index - from > this.#maxBytes) return true;
      this.#bytes = 0;
      from = end;
    }
    this.#bytes += text.length - from;
    this.#last = text.slice(-OVERLAP);
    return this.#bytes > this.#maxBytes;
  }
}
