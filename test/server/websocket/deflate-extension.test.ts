import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { createInflaterRelease, trackSharedDeflate } from '../../../src/server/websocket/deflate-extension.js';
import { FakeSocket } from '../../support/fake-socket.js';

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

test('createInflaterRelease does nothing when the internals of ws have changed', () => {
  for (const extension of [undefined, {}, { cleanup: 'none' }]) {
    const socket = Object.assign(new FakeSocket(), { _extensions: { 'permessage-deflate': extension } });
    createInflaterRelease(socket.socket)();
    expect(socket.calls).toEqual([]);
  }
});

test.each<[accepted: boolean, header: string]>([
  [true, 'Sec-WebSocket-Extensions: permessage-deflate'],
  [true, 'sec-websocket-extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=15'],
  [true, 'Sec-WebSocket-Extensions: permessage-deflate;client_max_window_bits=10 ; server_max_window_bits=15'],
  [false, 'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=10'],
  [false, 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits'],
  [false, 'Sec-WebSocket-Extensions: x-other-extension'],
  [false, 'Sec-WebSocket-Extensions'],
  [false, 'Sec-WebSocket-Protocol: permessage-deflate'],
])('trackSharedDeflate returns %s for the response header %s', (accepted, header) => {
  const server = new WebSocketServer({ noServer: true });
  const canInflate = trackSharedDeflate(server);
  const [request, other] = [new IncomingMessage(new Socket()), new IncomingMessage(new Socket())];
  server.emit('headers', ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', header], request);
  expect([canInflate(request), canInflate(other)]).toEqual([accepted, false]);
});
