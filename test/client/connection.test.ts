import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { growingPauseMs } from '../../src/client/clock.js';
import { createSwarmClientWith } from '../../src/client/create-client.js';
import {
  createSwarmClient,
  type SwarmClient,
  type SwarmClientOptions,
  ViewerDocument,
} from '../../src/client/index.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { Relay } from '../support/relay.js';
import { until } from './looking.js';
import { surroundingsOf } from './manual-surroundings.js';
import { ScriptedServer, welcome } from './scripted-server.js';
import { waitUntil } from '../support/wait.js';

/** A client that connects, by a clock that stands still. */
function connecting(
  url: string,
  options: Partial<SwarmClientOptions> = {},
): { readonly client: SwarmClient; readonly clock: ManualClock; readonly ended: Promise<unknown> } {
  const clock = new ManualClock();
  const client = createSwarmClientWith({ url, webSocketImpl: WebSocket, ...options }, surroundingsOf(clock));
  const ended = client.query(ViewerDocument).catch((error: unknown) => error);
  return { client, clock, ended };
}

describe('the state of the connection', () => {
  test('IDLE until something needs it, then OPEN, with a latency that pings have measured', async () => {
    await using server = await DeliveryServer.start();
    await using client = createSwarmClient({ url: server.url, webSocketImpl: WebSocket });
    const { connection } = client;
    const before = connection.getSnapshot();
    expect(before).toMatchObject({ status: 'IDLE', why: null, latencyMs: null, attempt: 0, error: null });
    expect(connection.getSnapshot()).toBe(before);
    const statuses: string[] = [];
    const leave = connection.subscribe(() => statuses.push(connection.getSnapshot().status));
    await client.query(ViewerDocument);
    const { latencyMs } = await until(connection, (snapshot) => snapshot.latencyMs !== null);
    leave();
    expect(latencyMs).toBeGreaterThan(0);
    expect(statuses).toEqual(['CONNECTING', 'OPEN', 'OPEN']);
    await client.dispose();
    expect(connection.getSnapshot()).toMatchObject({ status: 'CLOSED', error: null, latencyMs: null });
  });

  test('a server that is away: tried again after pauses that grow, said why and when; and there when it is back', async () => {
    await using server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    relay.target = null;
    const { client: made, clock, ended } = connecting(relay.url);
    await using client = made;
    const { connection } = client;
    const pausesMs: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const snapshot = await until(connection, (now) => now.attempt === attempt && now.retryAt !== null);
      expect(snapshot).toMatchObject({ status: 'RECONNECTING', why: expect.stringMatching(/hang up|ECONNRESET|lost/) });
      const leftMs = Date.parse(snapshot.retryAt ?? '') - clock.now();
      pausesMs.push(leftMs);
      if (attempt === 8) relay.target = server.url;
      clock.advance(leftMs - 1);
      expect(relay.connections).toBe(attempt);
      clock.advance(1);
    }
    expect(pausesMs).toEqual([375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
    expect(await ended).toMatchObject({ viewer: { subject: null } });
    expect(connection.getSnapshot()).toMatchObject({ status: 'OPEN', why: null, retryAt: null, attempt: 0 });
  });

  test('a pause is between half and all of what the failures in a row make it, and never above the longest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, die) => {
          const pauses = { firstRetryMs: 500, maxRetryMs: 30_000 };
          const wholeMs = Math.min(30_000, 500 * 2 ** (failures - 1));
          const pauseMs = growingPauseMs(failures, pauses, () => die);
          expect(pauseMs).toBeGreaterThanOrEqual(wholeMs / 2);
          expect(pauseMs).toBeLessThanOrEqual(wholeMs);
        },
      ),
    );
  });

  test('a connection on which nothing comes any more is given up when the next ping is due', async () => {
    await using server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    const { client: made, clock } = connecting(relay.url);
    await using client = made;
    await until(client.connection, ({ latencyMs }) => latencyMs !== null);
    relay.freeze();
    clock.advance(10_000);
    expect(client.connection.getSnapshot().status).toBe('OPEN');
    clock.advance(10_000);
    const lost = await until(client.connection, ({ retryAt }) => retryAt !== null);
    expect(lost).toMatchObject({ status: 'RECONNECTING', why: 'the server does not answer', latencyMs: null });
    clock.advance(1_000);
    await until(client.connection, ({ status }) => status === 'OPEN');
  });

  test('a server that never lets in is given up after 20 seconds, and tried again', async () => {
    await using server = await ScriptedServer.start(() => undefined);
    const { client: made, clock } = connecting(server.url);
    await using client = made;
    await waitUntil(() => server.received.length > 0, { state: () => client.connection.getSnapshot() });
    clock.advance(20_000);
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
  });

  test('what is no GraphQL over WebSocket is told, and tried again', async () => {
    await using server = await ScriptedServer.start((socket) => socket.send('hello'));
    await using client = connecting(server.url).client;
    const { status, why } = await until(client.connection, ({ attempt }) => attempt === 1);
    expect({ status, why }).toEqual({ status: 'RECONNECTING', why: expect.stringMatching(/JSON/) });
  });
});

describe('how the server closes it', () => {
  test.each([1000, 1001, 1012, 1013, 4408, 4999])('%i: it is tried again', async (code) => {
    await using server = await ScriptedServer.start((socket) => socket.close(code, 'for a while'));
    await using client = connecting(server.url).client;
    await until(client.connection, ({ status, why }) => status === 'RECONNECTING' && why === 'for a while');
  });

  test.each([
    [1002, /Is that swarmlens/],
    [1008, /see `limits`/],
    [1009, /maxMessageBytes/],
    [1011, /its log has the reason/],
    [4400, /check `maxHz`/],
    [4406, /Is that swarmlens/],
    [4500, /Make a new client/],
  ])('%i: that is the end, and the error says what to do', async (code, advice) => {
    await using server = await ScriptedServer.start((socket) => socket.close(code, 'so it is'));
    const { client: made, clock, ended } = connecting(server.url);
    await using client = made;
    const { error } = await until(client.connection, ({ status }) => status === 'CLOSED');
    expect(error).toMatchObject({ name: 'SwarmClientError', code: 'CONNECTION_REFUSED', closeCode: code });
    expect(error?.message).toMatch(advice);
    expect(error?.message).toContain('"so it is"');
    expect(await ended).toBe(error);
    await expect(client.query(ViewerDocument)).rejects.toBe(error);
    expect(clock.pending).toBe(0);
    expect(server.sockets).toHaveLength(1);
  });
});

describe('a client that is disposed', () => {
  test.each<[string, (server: ScriptedServer, client: SwarmClient) => boolean]>([
    ['before it has begun', () => true],
    ['while it connects', ({ sockets }) => sockets.length > 0],
    ['while it is open', (_server, { connection }) => connection.getSnapshot().status === 'OPEN'],
  ])('%s: closes, ends what runs, and leaves no timer', async (_name, isReached) => {
    await using server = await ScriptedServer.start(welcome);
    const { client, clock, ended } = connecting(server.url);
    await waitUntil(() => isReached(server, client), { state: () => client.connection.getSnapshot() });
    await client.dispose();
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED', message: expect.stringContaining('make a new one') });
    expect(clock.pending).toBe(0);
    await client.dispose();
  });

  test('while it waits for the next attempt: the same', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo; // of TCP
    nobody.close();
    const { client, clock, ended } = connecting(`http://127.0.0.1:${port}`);
    const { why } = await until(client.connection, ({ retryAt }) => retryAt !== null);
    expect(why).toContain('ECONNREFUSED');
    await client.dispose();
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(clock.pending).toBe(0);
  });

  test('by its signal, while the server does not answer the end: it is over two seconds later', async () => {
    await using server = await ScriptedServer.start((socket, type) => {
      welcome(socket, type);
      if (type === 'ping') socket.pause();
    });
    const abort = new AbortController();
    const { client, clock, ended } = connecting(server.url, { signal: abort.signal });
    await until(client.connection, ({ latencyMs }) => latencyMs !== null);
    abort.abort();
    expect(client.connection.getSnapshot().status).toBe('CLOSED');
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(clock.pending).toBe(1);
    clock.advance(2_000);
    await client.dispose();
    expect(clock.pending).toBe(0);
  });

  test('by a signal that was aborted before: it never connects', async () => {
    await using server = await ScriptedServer.start(() => undefined);
    const { ended } = connecting(server.url, { signal: AbortSignal.abort() });
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(server.sockets).toEqual([]);
  });
});

describe('options', () => {
  test.each([
    ['http://a.example', 'ws://a.example/graphql'],
    ['https://a.example/', 'wss://a.example/graphql'],
    ['wss://a.example/behind/graphql', 'wss://a.example/behind/graphql'],
    ['http://a.example:81?x=1', 'ws://a.example:81/graphql?x=1'],
  ])('%s leads to %s', async (url, address) => {
    const asked: string[] = [];
    function webSocketImpl(this: unknown, to: string): never {
      asked.push(to);
      throw new Error('not today');
    }
    await using client = createSwarmClient({ url, webSocketImpl });
    client.query(ViewerDocument).catch(() => undefined);
    const { why } = await until(client.connection, ({ status }) => status === 'RECONNECTING');
    expect({ asked, why }).toEqual({ asked: [address], why: 'not today' });
  });

  test.each<[string, Partial<SwarmClientOptions>, RegExp]>([
    ['no address', { url: 'nowhere' }, /no address: "nowhere"/],
    ['another protocol', { url: 'ftp://a.example' }, /has to begin with/],
    ['a password', { url: 'http://ada:secret@a.example' }, /must not hold a user/],
    ['no WebSocket class', { webSocketImpl: 'ws' }, /no WebSocket class/],
    ['0 Hz', { maxHz: 0 }, /`maxHz` must be a number above 0, not 0/],
    ['a rate that is no number', { maxHz: Number.NaN }, /`maxHz`/],
    ['no pause', { firstRetryMs: 0 }, /`firstRetryMs`/],
    ['pings all the time', { pingEveryMs: -1 }, /`pingEveryMs`/],
  ])('%s: refused at once', (_name, options, message) => {
    const make = (): unknown => createSwarmClient({ url: 'http://127.0.0.1', webSocketImpl: WebSocket, ...options });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/secret/);
  });

  test('maxHz is told to the server', async () => {
    await using server = await ScriptedServer.start(welcome);
    await using client = connecting(server.url, { maxHz: 30 }).client;
    await until(client.connection, ({ status }) => status === 'OPEN');
    expect(server.received[0]).toEqual({ type: 'connection_init', payload: { maxHz: 30 } });
  });
});
