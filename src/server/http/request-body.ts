import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * Reads the body of a request.
 * @returns the body, or null if it has more than `maxBytes` bytes; the rest of it is then unread
 */
export async function readRequestBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Attaches a body that is already read to its request, where Yoga expects it. */
export function withRequestBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(request, { body: Readable.from([body]) });
}

/** Whether a body is a JSON array, which contains several operations. */
export function isBatchRequest(body: Buffer): boolean {
  const start = body.toString('latin1', 0, 64).trimStart();
  return start.startsWith('[');
}
