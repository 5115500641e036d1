import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from '../support/delivery-server.js';

/** Sends an upgrade request with any path, which `ws` would reject. The client does not close the socket by itself. */
function upgrade(server: DeliveryServer, path: string): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write(`${lines.join('\r\n')}\r\n\r\nand more bytes`);
  return socket;
}

async function readAnswer(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test.each(['//', '//:0', 'http://[/graphql', '/\\\\:'])(
  'startServer rejects an upgrade to the invalid URL %s with 404',
  async (path) => {
    await using server = await DeliveryServer.start();
    const socket = upgrade(server, path);
    expect(await readAnswer(socket)).toMatch(/^HTTP\/1\.1 404 /);
    socket.destroy();
  },
);

test('startServer closes a rejected upgrade and stops although the client stays connected', async () => {
  const server = await DeliveryServer.start();
  const socket = upgrade(server, '/nowhere');
  try {
    expect(await readAnswer(socket)).toMatch(/^HTTP\/1\.1 404 /);
    await server[Symbol.asyncDispose]();
  } finally {
    socket.destroy();
  }
});

test.each(['variables', 'extensions'])(
  'GET /graphql reports a client error for invalid JSON in the URL parameter %s',
  async (name) => {
    const { logger, lines } = recordingLogger();
    await using server = await DeliveryServer.start({}, { logger });
    const response = await fetch(`${server.url}/graphql?query={__typename}&${name}={`);
    expect(await response.json()).toEqual({
      errors: [
        {
          message: `Invalid JSON in the URL parameter "${name}".`,
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ],
    });
    expect(response.status).toBe(400);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);

test.each([
  [
    { query: 'query A { __typename } query B { __typename }' },
    'The document contains several operations. Name one in "operationName".',
  ],
  [{ query: 'query A { __typename }', operationName: 'B' }, 'Unknown operation "B" in "operationName".'],
  [{ query: 'fragment A on Query { __typename }' }, 'A'],
])('the WebSocket server reports BAD_USER_INPUT for %j', async (payload, message) => {
  await using server = await DeliveryServer.start();
  const client = createClient({ url: server.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  try {
    const errors = await new Promise<unknown>((resolve, reject) => {
      client.subscribe(payload, { next: reject, error: resolve, complete: () => undefined });
    });
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(message) as unknown, // matchers are typed any
        extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }) as unknown, // matchers are typed any
      }),
    ]);
  } finally {
    await client.dispose();
  }
});

test.each([{ query: 'query A { __typename } query B { __typename }' }, {}, { query: 7 }])(
  'POST /graphql reports BAD_USER_INPUT for %j',
  async (body) => {
    await using server = await DeliveryServer.start();
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  },
);
