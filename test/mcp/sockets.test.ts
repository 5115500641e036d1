import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectSession, SessionClosedError } from '../../src/mcp/index.js';
import { openWebSocket } from '../../src/mcp/transports/websocket/open-websocket.js';
import { WebSocketTransport } from '../../src/mcp/transports/websocket/websocket-transport.js';
import { SocketPeer, WebSocketPeer } from './byte-peers.js';
import { waitUntil } from '../support/wait.js';
import { call, connectOptions, NEVER, outcomeOf } from './support.js';

/** Starts listening and returns the port and the open sockets. */
async function listening(server: Server): Promise<{ port: number; sockets: Set<Socket> } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a listening TCP server
  return {
    port,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('session over TCP', () => {
  test('sends each message in a write of its own', async () => {
    await using peer = await SocketPeer.start('tcp');
    await using session = await connectSession(peer.endpoint, connectOptions());
    const answers = Array.from({ length: 8 }, (_, n) => call(session, 'echo', { n }));
    for (const _answer of answers) await peer.answer(await peer.nextCall());
    await Promise.all(answers);
    expect(peer.chunks).toHaveLength(11);
    expect(peer.chunks.filter((chunk) => chunk.indexOf('\n') !== chunk.length - 1)).toEqual([]);
  });

  test.each<[string, (socket: Socket) => void, string]>([
    [
      'sends an error and closes the connection',
      (socket) =>
        socket.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Authentication required"}}\n'),
      'the server closed the connection (last error: Authentication required)',
    ],
    ['answers in HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'the server answered in HTTP'],
    [
      'closes the connection within a message',
      (socket) => socket.end('{"jso'),
      'the server closed the connection in the middle of a message',
    ],
    ['resets the connection', (socket) => socket.resetAndDestroy(), 'the connection was lost: read ECONNRESET'],
  ])('reports the cause when the server %s', async (_name, answer, reason) => {
    await using server = await listening(createServer((socket) => socket.once('data', () => answer(socket))));
    expect(await failureOver('tcp', server.port)).toBe(`TransportError: tcp://127.0.0.1:${server.port}: ${reason}`);
  });

  test('reports the address when the connection is refused', async () => {
    const server = await listening(createServer());
    await server[Symbol.asyncDispose]();
    const where = `127.0.0.1:${server.port}`;
    expect(await failureOver('tcp', server.port)).toBe(`TransportError: tcp://${where}: connect ECONNREFUSED ${where}`);
  });

  test('reports a disorderly close when the connection is reset or ends within a message', async () => {
    for (const [end, reason] of [
      [(socket: Socket) => socket.resetAndDestroy(), 'the connection was lost: read ECONNRESET'],
      [(socket: Socket) => socket.end('{"'), 'the server closed the connection in the middle of a message'],
    ] as const) {
      await using peer = await SocketPeer.start('tcp');
      await using session = await connectSession(peer.endpoint, connectOptions());
      for (const socket of peer.sockets) end(socket);
      expect(await session.closed).toEqual(new SessionClosedError(reason, false));
    }
  });
});

describe('session over a WebSocket', () => {
  test.each<[string, (socket: WebSocket) => void, string, boolean]>([
    ['code 1000', (socket) => socket.close(1000), 'the server closed the connection (1000)', true],
    [
      'code 1001',
      (socket) => socket.close(1001, 'going\naway'),
      'the server closed the connection (1001 going away)',
      true,
    ],
    ['no code', (socket) => socket.close(), 'the server closed the connection', true],
    ['code 1008', (socket) => socket.close(1008, 'no'), 'the server closed the connection (1008 no)', false],
    ['no close frame', (socket) => socket.terminate(), 'the connection was lost', false],
  ])('reports the cause when the server closes with %s', async (_name, end, reason, isOrderly) => {
    await using peer = await WebSocketPeer.start();
    await using session = await connectSession(peer.endpoint, connectOptions());
    for (const socket of peer.sockets) end(socket);
    expect(await session.closed).toEqual(new SessionClosedError(reason, isOrderly));
  });

  test.each([
    ['a redirect', 302, { location: 'ws://127.0.0.1:1/' }],
    ['a request for authentication', 401, {}],
  ])('fails without revealing credentials on %s', async (_name, status, headers) => {
    const requests: (string | undefined)[] = [];
    await using server = await listening(
      createHttpServer().on('upgrade', (request, socket) => {
        requests.push(request.headers.authorization);
        const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.end(`HTTP/1.1 ${status} No\r\n${more.join('')}content-length: 0\r\n\r\n`);
      }),
    );
    const reason = `ws://127.0.0.1:${server.port}/x: Unexpected server response: ${status}`;
    expect(await failureOver('ws', server.port)).toBe(`TransportError: ${reason}`);
    expect(requests).toEqual([`Basic ${Buffer.from('me:s3cret').toString('base64')}`]);
  });

  test('closes the socket when the unanswered request is aborted', async () => {
    await using server = await listening(createServer((socket) => socket.resume()));
    const stop = new AbortController();
    const endpoint = { type: 'ws', url: `ws://127.0.0.1:${server.port}/`, headers: {} } as const;
    const attempt = outcomeOf(connectSession(endpoint, connectOptions({ signal: stop.signal })));
    const state = (): object => ({ sockets: server.sockets.size });
    await waitUntil(() => server.sockets.size > 0, { state });
    const reason = new Error('shutting down');
    stop.abort(reason);
    expect(await attempt).toBe(reason);
    await waitUntil(() => server.sockets.size === 0, { state });
  });

  test('receives a message that the server sends immediately after the handshake', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.send('{"jsonrpc":"2.0","method":"hello"}'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of a listening TCP server
    const endpoint = { type: 'ws', url: `ws://127.0.0.1:${port}/`, headers: {} } as const;
    const transport = new WebSocketTransport((signal) => openWebSocket(endpoint, signal));
    const received = new Promise<JSONRPCMessage>((resolve) => (transport.onmessage = resolve));
    await transport.start();
    expect(await received).toEqual({ jsonrpc: '2.0', method: 'hello' });
    await transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('works over an accepted socket', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of a listening TCP server
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const endpoint = { type: 'ws', url: `ws://127.0.0.1:${port}/`, headers: {} } as const;
    const client = await openWebSocket(endpoint, NEVER);
    const echo = once(client, 'message');
    client.resume();
    const transport = new WebSocketTransport(() => accepted);
    const received = new Promise<JSONRPCMessage>((resolve) => (transport.onmessage = resolve));
    await transport.start();
    await transport.send({ jsonrpc: '2.0', method: 'out' });
    expect(String((await echo)[0])).toBe('{"jsonrpc":"2.0","method":"out"}');
    client.send(Buffer.from('{"jsonrpc":"2.0","method":"in"}'), { binary: true });
    expect(await received).toEqual({ jsonrpc: '2.0', method: 'in' });
    const closed = once(client, 'close');
    await transport.close();
    expect((await closed)[0]).toBe(1000);
    await new Promise((resolve) => server.close(resolve));
  });
});

/** Returns the error of a failed connection. The URL contains a key and a password, which the error must not contain. */
async function failureOver(type: 'tcp' | 'ws', port: number): Promise<string> {
  const endpoint =
    type === 'tcp'
      ? ({ type, host: '127.0.0.1', port, token: null } as const)
      : ({ type, url: `ws://me:s3cret@127.0.0.1:${port}/x?key=s3cret`, headers: {} } as const);
  return String(await outcomeOf(connectSession(endpoint, connectOptions())));
}
