import type { IncomingMessage } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';

/** Window with which shared messages are compressed, as the exponent of its size in bytes. */
const SHARED_WINDOW_BITS = '15';

/**
 * Reads the accepted `permessage-deflate` parameters of every WebSocket that a server opens.
 * @returns whether the client of an upgrade request can decompress shared messages
 */
export function trackSharedDeflate(server: WebSocketServer): (request: IncomingMessage) => boolean {
  const accepting = new WeakSet<IncomingMessage>();
  server.on('headers', (headers, request) => {
    if (headers.some(acceptsSharedWindow)) accepting.add(request);
  });
  return (request) => accepting.has(request);
}

function acceptsSharedWindow(responseHeader: string): boolean {
  const [name, value = ''] = responseHeader.split(': ', 2);
  if (name?.toLowerCase() !== 'sec-websocket-extensions') return false;
  const [extension, ...params] = value.split(';').map((part) => part.trim());
  return extension === 'permessage-deflate' && params.every(isSharedWindow);
}

function isSharedWindow(param: string): boolean {
  const [name, value] = param.split('=');
  return name !== 'server_max_window_bits' || value === SHARED_WINDOW_BITS;
}

/**
 * Internal state of `ws`. swarmlens reads no other internals. `ws` is pinned for it, see
 * docs/decisions/0030-public-apis.md.
 */
const internalExtensionsSchema = z.object({
  'permessage-deflate': z.custom<{ cleanup(): void }>(
    (value) => z.object({ cleanup: z.function() }).safeParse(value).success,
  ),
});

/**
 * Returns a function that frees the inflater of a WebSocket, 16 to 60 KB, which `ws` otherwise keeps for the next
 * compressed message. The function does nothing if the WebSocket is not compressed.
 */
export function createInflaterRelease(socket: WebSocket): () => void {
  const internal = internalExtensionsSchema.safeParse(Reflect.get(socket, '_extensions'));
  if (!internal.success) return () => undefined;
  const extension = internal.data['permessage-deflate'];
  return () => extension.cleanup();
}
