import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from '../support/delivery-server.js';

/** An upgrade to any path, which `WebSocket` of `ws` would not ask for; whoever asks does not close by itself. */
function upgrade(server: DeliveryServer, path: string): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write(`${lines.join('\r\n')}\r\n\r\nand more that nobody reads`);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test.each(['//', '//:0', 'http://[/graphql', '/\\\\:'])('an upgrade to %s, which is no URL, is 404', async (path) => {
  await using server = await DeliveryServer.start();
  const socket = upgrade(server, path);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
});

test('a refused upgrade is closed by us: its client need not leave for the server to stop', async () => {
  const server = await DeliveryServer.start();
  const socket = upgrade(server, '/nowhere');
  try {
    expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 404 /);
    await server[Symbol.asyncDispose]();
  } finally {
    socket.destroy();
  }
});

test.each(['variables', 'extensions'])('%s in a URL that are no JSON are the mistake of the client', async (name) => {
  const { logger, lines } = recordingLogger();
  await using server = await DeliveryServer.start({}, { logger });
  const response = await fetch(`${server.url}/graphql?query={__typename}&${name}={`);
  expect(await response.json()).toEqual({
    errors: [
      {
        message: '"variables" and "extensions" in a URL must be JSON.',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ],
  });
  expect(response.status).toBe(400);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});
