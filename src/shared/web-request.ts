import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';

/**
 * Answers a request of Node.js with a function for web-standard requests. Answers a body of more than `maxBytes` with 413.
 * @throws if the response cannot be created or sent; the caller destroys it
 */
export async function handleWebRequest(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  respond: (request: Request) => Promise<Response>,
): Promise<void> {
  const body = await readBody(request, maxBytes);
  if (body === null) {
    response.writeHead(413).end();
    return;
  }
  const { status, headers, body: stream } = await respond(toWebRequest(request, body));
  response.writeHead(status, [...headers].flat());
  if (stream === null) {
    response.end();
    return;
  }
  // The client of an event stream waits for the headers, long before the first event.
  response.flushHeaders();
  await pipeline(Readable.fromWeb(stream as ReadableStream<Uint8Array>), response); // one class, declared twice
}

/**
 * Reads the body of a request. Returns null if it is too large. Reads such a body to its end, because otherwise the
 * client would not receive the response.
 */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer<ArrayBuffer> | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = chunk as Buffer; // no encoding is set
    bytes += part.length;
    if (bytes <= maxBytes) chunks.push(part);
    else chunks.length = 0;
  }
  return bytes <= maxBytes ? Buffer.concat(chunks) : null;
}

function toWebRequest(request: IncomingMessage, body: Buffer<ArrayBuffer>): Request {
  const method = request.method ?? 'GET';
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // The host is checked in its header. The request line may contain the full URL of another host.
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  return new Request(url, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) });
}
