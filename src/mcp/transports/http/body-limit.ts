import type { FetchLike } from '@modelcontextprotocol/client';

export interface BodyLimit {
  readonly maxBytes: number;
  /** Called once for each body that is longer. */
  readonly onTooLong: () => void;
}

/**
 * Wraps `fetch` so that reading a body fails when it is too long, except for event streams and errors. The official client has
 * no limit of its own.
 */
export function fetchWithBodyLimit(inner: FetchLike, limit: BodyLimit): FetchLike {
  return async (url, init) => {
    const response = await inner(url, init);
    const { body, ok, status, statusText, headers } = response;
    if (body === null || !ok || headers.get('content-type')?.startsWith('text/event-stream') === true) return response;
    return new Response(body.pipeThrough(limitBytes(limit)), { status, statusText, headers });
  };
}

function limitBytes({ maxBytes, onTooLong }: BodyLimit): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes <= maxBytes) controller.enqueue(chunk);
      else {
        controller.error(new Error(`body is longer than ${maxBytes} bytes`));
        onTooLong();
      }
    },
  });
}
