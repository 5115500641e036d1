import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { emptyDelta } from '../../src/state/index.js';
import { ask, DeliveryServer } from '../support/delivery-server.js';
import { ManualClock } from '../support/manual-clock.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { waitUntil } from '../support/wait.js';

const MARK = 65_536;
const MIB = 2 ** 20;

/** Makes the name of one agent so long that an answer with it has `bytes` bytes. */
function showLongName(server: DeliveryServer, bytes: number, letter = 'x'): void {
  server.show(0, 1, 0);
  const agent = server.store.agents.get('x:0');
  if (agent === undefined) throw new Error('no agent');
  server.store.commit({ ...emptyDelta('x'), agents: [{ ...agent, name: letter.repeat(bytes) }] });
}

interface ConnectionHealth {
  readonly open: number;
  readonly slow: number;
  readonly unsentBytes: number;
}

async function connections(server: DeliveryServer): Promise<ConnectionHealth> {
  const { health } = await ask<{ health: { connections: ConnectionHealth } }>(
    server,
    '{ health { connections { open slow unsentBytes } } }',
  );
  return health.connections;
}

async function acknowledged(server: DeliveryServer): Promise<RawGraphqlWsClient> {
  const client = await RawGraphqlWsClient.open(server, null);
  await client.until(({ messages }) => messages.length === 1);
  return client;
}

/** Sends an HTTP request over a connection that never reads. */
async function requestWithoutReading(server: DeliveryServer, query: string, accept: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const body = JSON.stringify({ query });
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nAccept: ${accept}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

describe('a WebSocket that does not read', () => {
  test('has at most one answer in memory, however many queries it sends, and receives all answers when it reads', async () => {
    await using server = await DeliveryServer.start();
    showLongName(server, MIB);
    await using client = await acknowledged(server);
    client.socket.pause();
    const count = 60;
    for (let id = 0; id < count; id += 1) client.run(`${id}`, '{ agents { name } }');
    let maxUnsentBytes = 0;
    await waitUntil(
      async () => {
        const { slow, unsentBytes } = await connections(server);
        maxUnsentBytes = Math.max(maxUnsentBytes, unsentBytes);
        return slow === 1;
      },
      { state: () => maxUnsentBytes },
    );
    for (let round = 0; round < 20; round += 1)
      maxUnsentBytes = Math.max(maxUnsentBytes, (await connections(server)).unsentBytes);
    expect(maxUnsentBytes).toBeLessThan(MARK + 2 * MIB);
    client.socket.resume();
    await client.until(({ messages }) => messages.filter(({ type }) => type === 'complete').length === count);
    const ids = client.messages.filter(({ type }) => type === 'next').map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: count }, (_, id) => `${id}`));
    expect((await connections(server)).slow).toBe(0);
  });

  test('is closed with 1013 when it keeps sending, for example pings with a payload', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxMessageBytes: 65_536 });
    showLongName(server, 16 * MIB);
    await using client = await acknowledged(server);
    client.socket.pause();
    client.run('large', '{ agents { name } }');
    await waitUntil(async () => (await connections(server)).slow === 1, { state: () => connections(server) });
    client.run('waiting', 'mutation { refreshDiscovery { timestamp } }');
    for (let sent = 0; sent < 20; sent += 1) client.send({ type: 'ping', payload: { text: 'x'.repeat(30_000) } });
    await waitUntil(async () => (await connections(server)).open === 0, { state: () => connections(server) });
    client.socket.resume();
    expect(await client.closed).toEqual({ code: 1013, reason: 'Client sends without reading' });
    await waitUntil(() => server.closes?.webSockets.length === 1, { state: () => server.closes?.webSockets });
    expect(server.uses).toEqual([]);
  });

  test('is closed with 1013 after maxSlowMs, whether it subscribes, queries or is idle', async () => {
    const clock = new ManualClock();
    await using server = await DeliveryServer.start({ maxSlowMs: 10_000 }, { clock });
    showLongName(server, 16 * MIB);
    await using querying = await acknowledged(server);
    await using reading = await acknowledged(server);
    querying.socket.pause();
    querying.run('1', '{ agents { name } }');
    await waitUntil(async () => (await connections(server)).slow === 1, { state: () => connections(server) });
    await clock.pass(15_000, 1_000);
    querying.socket.resume();
    expect(await querying.closed).toEqual({ code: 1013, reason: 'Client reads too slowly' });
    expect(server.closes?.unresponsiveClients).toEqual([{ labels: { protocol: 'websocket' }, count: 1 }]);
    expect(reading.socket.readyState).toBe(reading.socket.OPEN);
  });
});

describe('an HTTP client that does not read', () => {
  test.each([
    ['an answer', 'http', '{ agents { name } }', 'application/json'],
    ['a stream of server-sent events', 'sse', 'subscription { agentUpdates { agents { name } } }', 'text/event-stream'],
  ])('%s is disconnected after maxSlowMs and counted as %s', async (_, protocol, query, accept) => {
    const clock = new ManualClock();
    await using server = await DeliveryServer.start({ maxSlowMs: 10_000 }, { clock });
    showLongName(server, 16 * MIB);
    const socket = await requestWithoutReading(server, query, accept);
    const closed = new Promise<void>((resolve) => socket.on('error', () => undefined).on('close', () => resolve()));
    await waitUntil(
      async () => {
        await clock.pass(1_000);
        return server.closes?.unresponsiveClients.length === 1;
      },
      { state: () => server.closes?.unresponsiveClients },
    );
    expect(server.closes?.unresponsiveClients).toEqual([{ labels: { protocol }, count: 1 }]);
    socket.resume();
    await closed;
    await waitUntil(() => protocol === 'http' || server.closes?.streams.length === 1, {
      state: () => server.closes?.streams,
    });
    expect(server.closes?.streams).toEqual(
      protocol === 'http' ? [] : [{ labels: { reason: 'unresponsive' }, count: 1 }],
    );
    expect(server.active.size).toBe(0);
  });

  test('keeps a stream that reads, and an idle connection', async () => {
    const clock = new ManualClock();
    await using server = await DeliveryServer.start({ maxSlowMs: 10_000 }, { clock });
    server.show(0, 1, 0);
    const idle = await requestWithoutReading(server, '{ __typename }', 'application/json');
    const stream = await requestWithoutReading(server, 'subscription { agentUpdates { kind } }', 'text/event-stream');
    stream.resume();
    await once(stream, 'data');
    await clock.pass(60_000, 1_000);
    expect([idle.destroyed, stream.destroyed, server.closes?.unresponsiveClients]).toEqual([false, false, []]);
    for (const socket of [idle, stream]) socket.destroy();
  });

  test('has the answers of four queries in memory, however many connections it opens, and receives all when it reads', async () => {
    await using server = await DeliveryServer.start();
    showLongName(server, 16 * MIB);
    const started = new Set<Socket>();
    const sockets: Socket[] = [];
    for (let count = 0; count < 10; count += 1) {
      const socket = await requestWithoutReading(server, '{ agents { name } }', 'application/json');
      socket.once('data', () => {
        started.add(socket);
        socket.pause();
      });
      sockets.push(socket);
    }
    const waited = (): number => server.counters.read().find(({ name }) => name === 'maxUnreadAnswers')?.hits ?? 0;
    await waitUntil(() => started.size === 4 && waited() === 6, { state: () => [started.size, waited()] });
    // Mutations do not wait.
    expect(await ask(server, 'mutation { __typename }')).toEqual({ __typename: 'Mutation' });
    expect(started.size).toBe(4);
    // A connection that is closed while its query waits, and another one while its answer is sent, free their turns.
    const waiting = sockets.filter((socket) => !started.has(socket));
    waiting[0]?.destroy();
    [...started][0]?.destroy();
    await waitUntil(() => started.size === 5, { state: () => started.size });
    for (const socket of sockets) if (!socket.destroyed) socket.on('data', () => undefined).resume();
    await waitUntil(() => started.size === 9, { state: () => started.size });
    for (const socket of sockets) socket.destroy();
  });
});
