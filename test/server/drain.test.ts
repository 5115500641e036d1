import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { createClient } from 'graphql-ws';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { closeGradually } from '../../src/server/shutdown.js';
import { RawStreamClient, DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

const SHUTDOWN_MS = 1_000;

interface ServerSetup extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: DeliveryServer;
}

/** Starts a server with a manual clock. */
async function startServer(): Promise<ServerSetup> {
  const clock = new ManualClock();
  const server = await DeliveryServer.start({}, { clock, shutdownMs: SHUTDOWN_MS });
  server.show(0, 3, 0);
  return { clock, server, [Symbol.asyncDispose]: () => stopServer(clock, server) };
}

/** Stops the server and advances the clock until it has stopped. */
async function stopServer(clock: ManualClock, server: DeliveryServer): Promise<void> {
  const over = new AbortController();
  const stopped = server.stop().finally(() => over.abort());
  while (!over.signal.aborted) await clock.pass(10);
  await stopped;
  await server[Symbol.asyncDispose]();
}

/** Connects a client that never answers a close frame. */
async function connectUnresponsive(server: DeliveryServer): Promise<RawStreamClient> {
  const client = await RawStreamClient.connect(server);
  client.socket.pause();
  return client;
}

interface Answer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
  readonly retryAfter: string | undefined;
}

/** Sends a GET request over a new connection. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const request = get(url, { agent: false, headers });
  const { statusCode, headers: received } = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  request.destroy();
  return { status: statusCode, connection: received.connection, retryAfter: received['retry-after'] };
}

describe('server shutdown', () => {
  test('reports not ready, stays alive, and rejects new WebSockets, taps and streams with retryable answers', async () => {
    await using setup = await startServer();
    const { server, clock } = setup;
    await using _client = await connectUnresponsive(server);
    expect(await ask(`${server.url}/readyz`)).toMatchObject({ status: 200 });
    const stopped = server.stop();
    expect(await ask(`${server.url}/readyz`)).toMatchObject({ status: 503, connection: 'close' });
    expect(await (await fetch(`${server.url}/readyz`)).text()).toBe('draining\n');
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ status: 200, connection: 'close' });
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const tap = await ask(`${server.url}/tap?server=x&instance=1`, {
      ...upgrade,
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    expect(tap).toMatchObject({ status: 503, retryAfter: '1' });
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws');
    const [code]: unknown[] = await once(socket, 'close');
    expect(code).toBe(1001);
    const query = encodeURIComponent('subscription { agentUpdates { kind } }');
    const stream = await ask(`${server.url}/graphql?query=${query}`, { accept: 'text/event-stream' });
    expect(stream).toMatchObject({ status: 503, retryAfter: '1' });
    // The server listens until all clients are gone or three quarters of the time are over.
    clock.advance(SHUTDOWN_MS * 0.75 - 1);
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ status: 200 });
    clock.advance(1);
    await stopped;
    await expect(ask(`${server.url}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });

  test('completes in time although clients read nothing, send half a request or stay silent', async () => {
    await using setup = await startServer();
    const { server, clock } = setup;
    await using _reader = await connectUnresponsive(server);
    const { port } = new URL(server.url);
    const halves = ['', 'GET / HT', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1'].map((text) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
      return { socket, closed: once(socket, 'close') };
    });
    // A later request is answered, so the earlier connections are accepted.
    await ask(`${server.url}/healthz`);
    const stopped = server.stop();
    await clock.pass(SHUTDOWN_MS, 25);
    await stopped;
    for (const { socket, closed } of halves) {
      socket.resume();
      await closed;
    }
  });

  test('ends SSE streams without a complete event', async () => {
    await using setup = await startServer();
    const { server } = setup;
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind } }' }),
    });
    if (response.body === null) throw new Error('no body');
    let text = '';
    const read = async (): Promise<void> => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    };
    const reading = read();
    await waitUntil(() => text.includes('SNAPSHOT'), { state: () => text });
    // The clock does not advance.
    await Promise.all([server.stop(), expect(reading).rejects.toThrow('terminated')]);
    expect(text).not.toContain('complete');
    await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
    expect(server.errors).toEqual([]);
  });

  test('closes 50 WebSockets immediately and more in steps', async () => {
    await using setup = await startServer();
    const { server, clock } = setup;
    const clients = await Promise.all(Array.from({ length: 130 }, () => RawStreamClient.connect(server)));
    const codes: number[] = [];
    const closedCount = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const check = (): void => {
          if (codes.length === count) resolve();
        };
        check();
        for (const { socket } of clients) socket.on('close', check);
      });
    for (const { socket } of clients) socket.on('close', (code) => codes.push(code));
    const stopped = server.stop();
    await closedCount(50);
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ status: 200 });
    expect(codes).toHaveLength(50);
    clock.advance(25);
    await closedCount(100);
    clock.advance(25);
    await closedCount(130);
    await stopped;
    expect(new Set(codes)).toEqual(new Set([1001]));
  });

  test('lets clients of graphql-ws reconnect to another node', async () => {
    await using first = await startServer();
    await using second = await startServer();
    second.server.show(0, 3, 7);
    await using _unresponsive = await connectUnresponsive(first.server);
    const urls = [first.server.socketUrl, first.server.socketUrl];
    const closed: unknown[] = [];
    const client = createClient({
      url: () => urls.shift() ?? second.server.socketUrl,
      webSocketImpl: WebSocket,
      retryWait: () => Promise.resolve(),
      on: { closed: (event) => closed.push(event) },
    });
    const updates = client.iterate<{ agentUpdates: { agents: { name: string }[] } }>({
      query: 'subscription { agentUpdates { agents { name } } }',
    });
    const nameOf = async (): Promise<string | undefined> => {
      const next = await updates.next();
      return next.done === true ? 'the stream ended' : next.value.data?.agentUpdates.agents[0]?.name;
    };
    expect(await nameOf()).toBe('agent 0 in round 0');
    const stopped = first.server.stop();
    expect(await nameOf()).toBe('agent 0 in round 7');
    expect(closed).toMatchObject([{ code: 1001 }, { code: 1001 }]);
    first.clock.advance(SHUTDOWN_MS);
    await stopped;
    await client.dispose();
  });
});

test('for any number of connections and late timers: closeGradually closes all in order, evenly and in time', async () => {
  const lateness = fc.array(fc.nat(60), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.nat(3_000), fc.integer({ min: 1, max: 5_000 }), lateness, async (count, withinMs, late) => {
      const clock = new ManualClock();
      const closed: { readonly index: number; readonly atMs: number }[] = [];
      const closeActions = Array.from(
        { length: count },
        (_, index) => () => void closed.push({ index, atMs: clock.monotonic() }),
      );
      const over = new AbortController();
      const completed = closeGradually(clock, closeActions, withinMs, new AbortController().signal).finally(() =>
        over.abort(),
      );
      for (let turn = 0; ; turn += 1) {
        for (let spin = 0; spin < 4; spin += 1) await Promise.resolve();
        if (over.signal.aborted) break;
        clock.stall(25 + (late[turn % late.length] ?? 0));
      }
      await completed;
      expect(closed.map(({ index }) => index)).toEqual(closeActions.map((_, index) => index));
      // The last step may be late by one timer.
      expect(closed.at(-1)?.atMs ?? 0).toBeLessThanOrEqual(withinMs + Math.max(...late));
      const perTurn = new Map<number, number>();
      for (const { atMs } of closed) perTurn.set(atMs, (perTurn.get(atMs) ?? 0) + 1);
      const longestMs = 25 + Math.max(...late);
      const most = Math.max(50, Math.ceil((count * (longestMs + 25)) / withinMs) + 1);
      for (const atOnce of perTurn.values()) expect(atOnce).toBeLessThanOrEqual(most);
    }),
    { numRuns: 100 },
  );
});
