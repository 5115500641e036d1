import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { createInflaterRelease } from '../../../src/server/websocket/deflate-extension.js';

/** Inflater that `ws` keeps for a WebSocket, or undefined if the internals of `ws` have changed. */
function keptInflater(socket: WebSocket): unknown {
  const internalSchema = z.object({ 'permessage-deflate': z.object({ _inflate: z.unknown() }) });
  return internalSchema.safeParse(Reflect.get(socket, '_extensions')).data?.['permessage-deflate']._inflate;
}

async function openPair(
  clientOptions: WebSocket.ClientOptions,
): Promise<{ readonly client: WebSocket; readonly served: WebSocket } & AsyncDisposable> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  const client = new WebSocket(`ws://127.0.0.1:${port}`, clientOptions);
  const [[served]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  return {
    client,
    served: served as WebSocket, // see the event of `ws`
    async [Symbol.asyncDispose]() {
      client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('createInflaterRelease frees the inflater after each compressed message and lets the next one be read', async () => {
  await using pair = await openPair({ perMessageDeflate: { threshold: 0 } });
  const release = createInflaterRelease(pair.served);
  for (const text of ['first message', 'second message']) {
    const received = once(pair.served, 'message');
    pair.client.send(text);
    const [data] = await received;
    expect(String(data)).toBe(text);
    expect(keptInflater(pair.served)).toEqual(expect.objectContaining({ bytesWritten: expect.any(Number) as unknown }));
    release();
    expect(keptInflater(pair.served)).toBeNull();
  }
});

test('createInflaterRelease does nothing when the WebSocket is not compressed', async () => {
  await using pair = await openPair({ perMessageDeflate: false });
  const release = createInflaterRelease(pair.served);
  const received = once(pair.served, 'message');
  pair.client.send('plain message');
  await received;
  release();
  expect(pair.served.readyState).toBe(WebSocket.OPEN);
});
