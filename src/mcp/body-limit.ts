import type { FetchLike } from '@modelcontextprotocol/client';

/** Between two events of a stream. */
const BLANK_LINE = /\r\n\r\n|\n\n|\r\r/g;
/** As long as a blank line that two chunks share may be. */
const OVERLAP = 3;

/**
 * `fetch`, whose bodies fail when they, or of an event stream one event, are longer than `maxBytes`: the official client
 * would keep whatever comes.
 * @param onTooLong is called once for each body that fails
 */
export function limitedFetch(inner: FetchLike, maxBytes: number, onTooLong: () => void): FetchLike {
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
    this.#bytes += chunk.byteLength;
    if (this.#isStream) this.#startAnew(chunk);
    if (this.#bytes <= this.#maxBytes) {
      controller.enqueue(chunk);
      return;
    }
    controller.error(new Error(`more than ${this.#maxBytes} bytes`));
    this.#onTooLong();
  }

  /** An event that ends in this chunk is not counted any more: what was kept of it has been handed on. */
  #startAnew(chunk: Uint8Array): void {
    const text = this.#last + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    for (const { index, 0: blank } of text.matchAll(BLANK_LINE)) this.#bytes = text.length - index - blank.length;
    this.#last = text.slice(-OVERLAP);
  }
}
