import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * Reads the body of a request.
 * @returns `null` when it has more bytes than it may have: then the rest has not been read
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

/** Puts a body that has been read where Yoga looks for one. */
export function withRequestBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(request, { body: Readable.from([body]) });
}

/** Whether it is a JSON list: several operations in one request. */
export function isBatchRequest(body: Buffer): boolean {
  const start = body.toString('latin1', 0, 64).trimStart();
  return start.startsWith('[');
}
