import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectSession, SessionClosedError } from '../../src/mcp/index.js';
import { openWebSocket } from '../../src/mcp/websocket.js';
import { WsTransport } from '../../src/mcp/ws-transport.js';
import { SocketPeer, WebSocketPeer } from './byte-peers.js';
import { waitUntil } from '../support/wait.js';
import { call, connectOptions, NEVER, outcomeOf } from './support.js';

/** Something that listens, and its open sockets. */
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

describe('over TCP', () => {
  test('each message is sent by itself, however many there are at once', async () => {
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
      'refuses and hangs up is quoted',
      (socket) =>
        socket.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Authentication required"}}\n'),
      'the server closed the connection (it said: Authentication required)',
    ],
    ['speaks HTTP is told as such', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'it speaks HTTP'],
    [
      'hangs up within a message',
      (socket) => socket.end('{"jso'),
      'the server closed the connection in the middle of a message',
    ],
    ['breaks off', (socket) => socket.resetAndDestroy(), 'the connection broke off: read ECONNRESET'],
  ])('a server that %s', async (_name, answer, reason) => {
    await using server = await listening(createServer((socket) => socket.once('data', () => answer(socket))));
    expect(await failureOver('tcp', server.port)).toBe(`TransportError: tcp://127.0.0.1:${server.port}: ${reason}`);
  });

  test('a server that is not there is told with its address', async () => {
    const server = await listening(createServer());
    await server[Symbol.asyncDispose]();
    const where = `127.0.0.1:${server.port}`;
    expect(await failureOver('tcp', server.port)).toBe(`TransportError: tcp://${where}: connect ECONNREFUSED ${where}`);
  });

  test('a session whose connection breaks off, or ends within a message, did not end in order', async () => {
    for (const [end, reason] of [
      [(socket: Socket) => socket.resetAndDestroy(), 'the connection broke off: read ECONNRESET'],
      [(socket: Socket) => socket.end('{"'), 'the server closed the connection in the middle of a message'],
    ] as const) {
      await using peer = await SocketPeer.start('tcp');
      await using session = await connectSession(peer.endpoint, connectOptions());
      for (const socket of peer.sockets) end(socket);
      expect(await session.closed).toEqual(new SessionClosedError(reason, false));
    }
  });
});

describe('over a WebSocket', () => {
  test.each<[string, (socket: WebSocket) => void, string, boolean]>([
    ['1000', (socket) => socket.close(1000), 'the server closed the connection (1000)', true],
    ['1001', (socket) => socket.close(1001, 'going\naway'), 'the server closed the connection (1001 going away)', true],
    ['no code', (socket) => socket.close(), 'the server closed the connection', true],
    ['1008', (socket) => socket.close(1008, 'no'), 'the server closed the connection (1008 no)', false],
    ['no word', (socket) => socket.terminate(), 'the connection broke off', false],
  ])('a session that the server ends with %s says so', async (_name, end, reason, isOrderly) => {
    await using peer = await WebSocketPeer.start();
    await using session = await connectSession(peer.endpoint, connectOptions());
    for (const socket of peer.sockets) end(socket);
    expect(await session.closed).toEqual(new SessionClosedError(reason, isOrderly));
  });

  test.each([
    ['is redirected is not followed', 302, { location: 'ws://127.0.0.1:1/' }],
    ['wants to know who asks is told as such', 401, {}],
  ])('a request that %s, and no secret is shown', async (_name, status, headers) => {
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

  test('a request that is not answered is given up when it is aborted, and its socket is closed', async () => {
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

  test('what the server says with the opening is heard', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => socket.send('{"jsonrpc":"2.0","method":"hello"}'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of a listening TCP server
    const endpoint = { type: 'ws', url: `ws://127.0.0.1:${port}/`, headers: {} } as const;
    const transport = new WsTransport((signal) => openWebSocket(endpoint, signal));
    const heard = new Promise<JSONRPCMessage>((resolve) => (transport.onmessage = resolve));
    await transport.start();
    expect(await heard).toEqual({ jsonrpc: '2.0', method: 'hello' });
    await transport.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a socket that was accepted serves as well as one that was opened', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of a listening TCP server
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const endpoint = { type: 'ws', url: `ws://127.0.0.1:${port}/`, headers: {} } as const;
    const client = await openWebSocket(endpoint, NEVER);
    const echo = once(client, 'message');
    client.resume();
    const transport = new WsTransport(() => accepted);
    const heard = new Promise<JSONRPCMessage>((resolve) => (transport.onmessage = resolve));
    await transport.start();
    await transport.send({ jsonrpc: '2.0', method: 'out' });
    expect(String((await echo)[0])).toBe('{"jsonrpc":"2.0","method":"out"}');
    client.send(Buffer.from('{"jsonrpc":"2.0","method":"in"}'), { binary: true });
    expect(await heard).toEqual({ jsonrpc: '2.0', method: 'in' });
    const closed = once(client, 'close');
    await transport.close();
    expect((await closed)[0]).toBe(1000);
    await new Promise((resolve) => server.close(resolve));
  });
});

/** Why there is no session; `x?key=…` and the password are not to be seen in it. */
async function failureOver(type: 'tcp' | 'ws', port: number): Promise<string> {
  const endpoint =
    type === 'tcp'
      ? ({ type, host: '127.0.0.1', port, token: null } as const)
      : ({ type, url: `ws://me:s3cret@127.0.0.1:${port}/x?key=s3cret`, headers: {} } as const);
  return String(await outcomeOf(connectSession(endpoint, connectOptions())));
}
