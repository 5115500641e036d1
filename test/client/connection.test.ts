import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { backoffDelayMs } from '../../packages/client/src/runtime.js';
import { createSwarmClientWithRuntime } from '../../packages/client/src/create-client.js';
import { createSwarmClient, type SwarmClient, type SwarmClientOptions, ViewerDocument } from '@swarmlens/client';
import { DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { Relay } from '../support/relay.js';
import { until } from './wait-for-snapshot.js';
import { manualRuntime } from './manual-runtime.js';
import { ScriptedServer, welcome } from './scripted-server.js';
import { waitUntil } from '../support/wait.js';

/** Creates a client that connects, with a manual clock. */
function startConnecting(
  url: string,
  options: Partial<SwarmClientOptions> = {},
): { readonly client: SwarmClient; readonly clock: ManualClock; readonly ended: Promise<unknown> } {
  const clock = new ManualClock();
  const client = createSwarmClientWithRuntime({ url, webSocketImpl: WebSocket, ...options }, manualRuntime(clock));
  const ended = client.query(ViewerDocument).catch((error: unknown) => error);
  return { client, clock, ended };
}

describe('SwarmClient.connection', () => {
  test('is IDLE until the first operation, then OPEN with a measured latency', async () => {
    await using server = await DeliveryServer.start();
    await using client = createSwarmClient({ url: server.url, webSocketImpl: WebSocket });
    const { connection } = client;
    const before = connection.getSnapshot();
    expect(before).toMatchObject({ status: 'IDLE', reason: null, latencyMs: null, attempt: 0, error: null });
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

  test('retries an unreachable server with growing delays, until it answers', async () => {
    await using server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    relay.target = null;
    const { client: created, clock, ended } = startConnecting(relay.url);
    await using client = created;
    const { connection } = client;
    const delaysMs: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      const snapshot = await until(connection, (now) => now.attempt === attempt && now.retryAt !== null);
      expect(snapshot).toMatchObject({
        status: 'RECONNECTING',
        reason: expect.stringMatching(/hang up|ECONNRESET|lost/),
      });
      const remainingMs = Date.parse(snapshot.retryAt ?? '') - clock.now();
      delaysMs.push(remainingMs);
      if (attempt === 8) relay.target = server.url;
      clock.advance(remainingMs - 1);
      expect(relay.connections).toBe(attempt);
      clock.advance(1);
    }
    expect(delaysMs).toEqual([375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
    expect(await ended).toMatchObject({ viewer: { subject: null } });
    expect(connection.getSnapshot()).toMatchObject({ status: 'OPEN', reason: null, retryAt: null, attempt: 0 });
  });

  test('for any number of failures: the delay is between half and all of the exponential delay, up to the maximum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, die) => {
          const delays = { retryDelayMs: 500, maxRetryDelayMs: 30_000 };
          const fullDelayMs = Math.min(30_000, 500 * 2 ** (failures - 1));
          const delayMs = backoffDelayMs(failures, delays, () => die);
          expect(delayMs).toBeGreaterThanOrEqual(fullDelayMs / 2);
          expect(delayMs).toBeLessThanOrEqual(fullDelayMs);
        },
      ),
    );
  });

  test('reconnects when a ping is not answered until the next one is due', async () => {
    await using server = await DeliveryServer.start();
    await using relay = await Relay.start(server.url);
    const { client: created, clock } = startConnecting(relay.url);
    await using client = created;
    await until(client.connection, ({ latencyMs }) => latencyMs !== null);
    relay.freeze();
    clock.advance(10_000);
    expect(client.connection.getSnapshot().status).toBe('OPEN');
    clock.advance(10_000);
    const lost = await until(client.connection, ({ retryAt }) => retryAt !== null);
    expect(lost).toMatchObject({ status: 'RECONNECTING', reason: 'the server does not respond', latencyMs: null });
    clock.advance(1_000);
    await until(client.connection, ({ status }) => status === 'OPEN');
  });

  test('retries when the server does not acknowledge within 20 seconds', async () => {
    await using server = await ScriptedServer.start(() => undefined);
    const { client: created, clock } = startConnecting(server.url);
    await using client = created;
    await waitUntil(() => server.received.length > 0, { state: () => client.connection.getSnapshot() });
    clock.advance(20_000);
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
  });

  test('reports and retries when the server sends invalid messages', async () => {
    await using server = await ScriptedServer.start((socket) => socket.send('hello'));
    await using client = startConnecting(server.url).client;
    const { status, reason } = await until(client.connection, ({ attempt }) => attempt === 1);
    expect({ status, reason }).toEqual({ status: 'RECONNECTING', reason: expect.stringMatching(/JSON/) });
  });
});

describe('SwarmClient after a close code', () => {
  test.each([1000, 1001, 1012, 1013, 4408, 4999])('retries after %i', async (code) => {
    await using server = await ScriptedServer.start((socket) => socket.close(code, 'for a while'));
    await using client = startConnecting(server.url).client;
    await until(client.connection, ({ status, reason }) => status === 'RECONNECTING' && reason === 'for a while');
  });

  test.each([
    [1002, /the address of a swarmlens/],
    [1008, /See `limits`/],
    [1009, /maxMessageBytes/],
    [1011, /its log contains the reason/],
    [4400, /Check `maxHz`/],
    [4406, /the address of a swarmlens/],
    [4500, /Create a new client/],
  ])('closes after %i with advice', async (code, advice) => {
    await using server = await ScriptedServer.start((socket) => socket.close(code, 'so it is'));
    const { client: created, clock, ended } = startConnecting(server.url);
    await using client = created;
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

describe('SwarmClient.dispose', () => {
  test.each<[string, (server: ScriptedServer, client: SwarmClient) => boolean]>([
    ['before it connects', () => true],
    ['while it connects', ({ sockets }) => sockets.length > 0],
    ['while it is open', (_server, { connection }) => connection.getSnapshot().status === 'OPEN'],
  ])('%s closes, rejects pending operations, and leaves no timer', async (_name, isReached) => {
    await using server = await ScriptedServer.start(welcome);
    const { client, clock, ended } = startConnecting(server.url);
    await waitUntil(() => isReached(server, client), { state: () => client.connection.getSnapshot() });
    await client.dispose();
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED', message: expect.stringContaining('Create a new one') });
    expect(clock.pending).toBe(0);
    await client.dispose();
  });

  test('leaves no timer while it waits for the next attempt', async () => {
    const closedServer = createServer().listen(0, '127.0.0.1');
    await once(closedServer, 'listening');
    const { port } = closedServer.address() as AddressInfo; // of TCP
    closedServer.close();
    const { client, clock, ended } = startConnecting(`http://127.0.0.1:${port}`);
    const { reason } = await until(client.connection, ({ retryAt }) => retryAt !== null);
    expect(reason).toContain('ECONNREFUSED');
    await client.dispose();
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(clock.pending).toBe(0);
  });

  test('through the signal terminates after two seconds when the server does not confirm', async () => {
    await using server = await ScriptedServer.start((socket, type) => {
      welcome(socket, type);
      if (type === 'ping') socket.pause();
    });
    const abort = new AbortController();
    const { client, clock, ended } = startConnecting(server.url, { signal: abort.signal });
    await until(client.connection, ({ latencyMs }) => latencyMs !== null);
    abort.abort();
    expect(client.connection.getSnapshot().status).toBe('CLOSED');
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(clock.pending).toBe(1);
    clock.advance(2_000);
    await client.dispose();
    expect(clock.pending).toBe(0);
  });

  test('through an aborted signal never connects', async () => {
    await using server = await ScriptedServer.start(() => undefined);
    const { ended } = startConnecting(server.url, { signal: AbortSignal.abort() });
    expect(await ended).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(server.sockets).toEqual([]);
  });
});

describe('createSwarmClient', () => {
  test.each([
    ['http://a.example', 'ws://a.example/graphql'],
    ['https://a.example/', 'wss://a.example/graphql'],
    ['wss://a.example/behind/graphql', 'wss://a.example/behind/graphql'],
    ['http://a.example:81?x=1', 'ws://a.example:81/graphql?x=1'],
  ])('connects from %s to %s', async (url, address) => {
    const addresses: string[] = [];
    function webSocketImpl(this: unknown, to: string): never {
      addresses.push(to);
      throw new Error('not today');
    }
    await using client = createSwarmClient({ url, webSocketImpl });
    client.query(ViewerDocument).catch(() => undefined);
    const { reason } = await until(client.connection, ({ status }) => status === 'RECONNECTING');
    expect({ addresses, reason }).toEqual({ addresses: [address], reason: 'not today' });
  });

  test.each<[string, Partial<SwarmClientOptions>, RegExp]>([
    ['an invalid URL', { url: 'nowhere' }, /not a URL: "nowhere"/],
    ['another protocol', { url: 'ftp://a.example' }, /must begin with/],
    ['a password', { url: 'http://ada:secret@a.example' }, /must not contain a user name/],
    ['no WebSocket class', { webSocketImpl: 'ws' }, /not a WebSocket class/],
    ['0 Hz', { maxHz: 0 }, /`maxHz` must be a number above 0, not 0/],
    ['a rate that is not a number', { maxHz: Number.NaN }, /`maxHz`/],
    ['no retry delay', { retryDelayMs: 0 }, /`retryDelayMs`/],
    ['a negative ping interval', { pingIntervalMs: -1 }, /`pingIntervalMs`/],
  ])('throws for %s', (_name, options, message) => {
    const make = (): unknown => createSwarmClient({ url: 'http://127.0.0.1', webSocketImpl: WebSocket, ...options });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/secret/);
  });

  test('sends a change of maxHz over the open connection, and later connections start with it', async () => {
    const answers: string[] = [];
    await using server = await ScriptedServer.start((socket, type, id) => {
      welcome(socket, type);
      if (type !== 'subscribe') return;
      const { query, variables } = server.received.at(-1)?.payload ?? {};
      if (!String(query).includes('setMaxHz')) return;
      const payload = answers.shift() ?? JSON.stringify({ data: { setMaxHz: (variables as { maxHz: number }).maxHz } });
      socket.send(`{"id":"${id}","type":"next","payload":${payload}}`);
      socket.send(`{"id":"${id}","type":"complete"}`);
    });
    const { client: created, clock } = startConnecting(server.url, { maxHz: 30 });
    await using client = created;
    const sent = (): unknown[] =>
      server.received.flatMap(({ payload }) =>
        String(payload?.['query']).includes('setMaxHz') ? [payload?.['variables']] : [],
      );
    await until(client.connection, ({ status }) => status === 'OPEN');
    await client.setMaxHz(30);
    expect(sent()).toEqual([]);
    await client.setMaxHz(20);
    expect(sent()).toEqual([{ maxHz: 20 }]);
    await expect(client.setMaxHz(0)).rejects.toThrow('`maxHz` must be a number above 0, not 0.');

    answers.push('{"errors":[{"message":"once","extensions":{"code":"RATE_LIMITED","retryAfterMs":700}}]}');
    const waiting = client.setMaxHz(10);
    await waitUntil(() => sent().length === 2 && answers.length === 0, { state: sent });
    const last = client.setMaxHz(5);
    const timers = clock.pending;
    await waitUntil(
      () => {
        clock.advance(700);
        return sent().length === 3;
      },
      { state: () => [sent(), timers] },
    );
    await Promise.all([waiting, last]);
    expect(sent().slice(1)).toEqual([{ maxHz: 10 }, { maxHz: 5 }]);

    server.sockets.at(-1)?.terminate();
    await until(client.connection, ({ status }) => status === 'RECONNECTING');
    await client.setMaxHz(null);
    clock.advance(1_000);
    await until(client.connection, ({ status }) => status === 'OPEN');
    const inits = server.received.filter(({ type }) => type === 'connection_init');
    expect(inits.map(({ payload }) => payload)).toEqual([{ maxHz: 30 }, {}]);
  });

  test('rejects a change of maxHz that the server rejects', async () => {
    await using server = await ScriptedServer.start((socket, type, id) => {
      welcome(socket, type);
      if (type === 'subscribe') {
        socket.send(`{"id":"${id}","type":"error","payload":[{"message":"unknown field setMaxHz"}]}`);
      }
    });
    await using client = startConnecting(server.url).client;
    await until(client.connection, ({ status }) => status === 'OPEN');
    await expect(client.setMaxHz(5)).rejects.toThrow('unknown field setMaxHz');
  });

  test('sends maxHz to the server', async () => {
    await using server = await ScriptedServer.start(welcome);
    await using client = startConnecting(server.url, { maxHz: 30 }).client;
    await until(client.connection, ({ status }) => status === 'OPEN');
    expect(server.received[0]).toEqual({ type: 'connection_init', payload: { maxHz: 30 } });
  });
});
