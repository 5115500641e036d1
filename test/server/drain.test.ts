import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { createClient } from 'graphql-ws';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { closeSpread } from '../../src/server/spread.js';
import { BareClient, DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { waitUntil } from '../support/wait.js';

const SHUTDOWN_MS = 1_000;

interface Stage extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: DeliveryServer;
}

/** A server whose time to end passes by hand. */
async function stage(): Promise<Stage> {
  const clock = new ManualClock();
  const server = await DeliveryServer.start({}, { clock, shutdownMs: SHUTDOWN_MS });
  server.show(0, 3, 0);
  return { clock, server, [Symbol.asyncDispose]: () => end(clock, server) };
}

/** Lets its time pass until it has ended. */
async function end(clock: ManualClock, server: DeliveryServer): Promise<void> {
  const over = new AbortController();
  const stopped = server.stop().finally(() => over.abort());
  while (!over.signal.aborted) await clock.pass(10);
  await stopped;
  await server[Symbol.asyncDispose]();
}

/** A connected client that never answers when it is asked to leave. */
async function stubborn(server: DeliveryServer): Promise<BareClient> {
  const client = await BareClient.connect(server);
  client.socket.pause();
  return client;
}

interface Answer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
  readonly retryAfter: string | undefined;
}

/** Over a connection of its own. */
async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const request = get(url, { agent: false, headers });
  const { statusCode, headers: had } = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  request.destroy();
  return { status: statusCode, connection: had.connection, retryAfter: had['retry-after'] };
}

describe('a server that is asked to stop', () => {
  test('is not ready at once, but alive, and sends new sockets, taps and streams away so that they are tried again', async () => {
    await using own = await stage();
    const { server, clock } = own;
    await using _client = await stubborn(server);
    expect(await ask(`${server.url}/readyz`)).toMatchObject({ status: 200 });
    const stopped = server.stop();
    expect(await ask(`${server.url}/readyz`)).toMatchObject({ status: 503, connection: 'close' });
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
    // Until the last has left, or its time is over.
    clock.advance(SHUTDOWN_MS * 0.75 - 1);
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ status: 200 });
    clock.advance(1);
    await stopped;
    await expect(ask(`${server.url}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });

  test('ends before its time is over whatever clients do: read nothing, send half a request, stay silent', async () => {
    await using own = await stage();
    const { server, clock } = own;
    await using _reader = await stubborn(server);
    const { port } = new URL(server.url);
    const halves = ['', 'GET / HT', 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1'].map((text) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
      return { socket, closed: once(socket, 'close') };
    });
    // What came after them was answered, so they are in.
    await ask(`${server.url}/healthz`);
    const stopped = server.stop();
    await clock.pass(SHUTDOWN_MS, 25);
    await stopped;
    for (const { socket, closed } of halves) {
      socket.resume();
      await closed;
    }
  });

  test('ends streams over SSE without saying that they are complete', async () => {
    await using own = await stage();
    const { server } = own;
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
    // By itself: no time passes.
    await Promise.all([server.stop(), expect(reading).rejects.toThrow('terminated')]);
    expect(text).not.toContain('complete');
    await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
    expect(server.errors).toEqual([]);
  });

  test('asks a few sockets to leave at once, and many over half of its time', async () => {
    await using own = await stage();
    const { server, clock } = own;
    const clients = await Promise.all(Array.from({ length: 130 }, () => BareClient.connect(server)));
    const codes: number[] = [];
    const left = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (codes.length === count) resolve();
        };
        look();
        for (const { socket } of clients) socket.on('close', look);
      });
    for (const { socket } of clients) socket.on('close', (code) => codes.push(code));
    const stopped = server.stop();
    await left(50);
    expect(await ask(`${server.url}/healthz`)).toMatchObject({ status: 200 });
    expect(codes).toHaveLength(50);
    clock.advance(25);
    await left(100);
    clock.advance(25);
    await left(130);
    await stopped;
    expect(new Set(codes)).toEqual(new Set([1001]));
  });

  test('its clients come back elsewhere by themselves, and go on, though they are sent to it once more', async () => {
    await using first = await stage();
    await using second = await stage();
    second.server.show(0, 3, 7);
    await using _holding = await stubborn(first.server);
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
      return next.done === true ? 'it ended' : next.value.data?.agentUpdates.agents[0]?.name;
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

test('however many there are and however late it is called back, all are asked within the time, evenly, in order', async () => {
  const lateness = fc.array(fc.nat(60), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.nat(3_000), fc.integer({ min: 1, max: 5_000 }), lateness, async (count, withinMs, late) => {
      const clock = new ManualClock();
      const asked: { readonly index: number; readonly atMs: number }[] = [];
      const closers = Array.from(
        { length: count },
        (_, index) => () => void asked.push({ index, atMs: clock.monotonic() }),
      );
      const over = new AbortController();
      const done = closeSpread(clock, closers, withinMs, new AbortController().signal).finally(() => over.abort());
      for (let turn = 0; ; turn += 1) {
        for (let spin = 0; spin < 4; spin += 1) await Promise.resolve();
        if (over.signal.aborted) break;
        clock.stall(25 + (late[turn % late.length] ?? 0));
      }
      await done;
      expect(asked.map(({ index }) => index)).toEqual(closers.map((_, index) => index));
      // One turn late at most, by as much as that was.
      expect(asked.at(-1)?.atMs ?? 0).toBeLessThanOrEqual(withinMs + Math.max(...late));
      const perTurn = new Map<number, number>();
      for (const { atMs } of asked) perTurn.set(atMs, (perTurn.get(atMs) ?? 0) + 1);
      const longestMs = 25 + Math.max(...late);
      const most = Math.max(50, Math.ceil((count * (longestMs + 25)) / withinMs) + 1);
      for (const atOnce of perTurn.values()) expect(atOnce).toBeLessThanOrEqual(most);
    }),
    { numRuns: 100 },
  );
});
