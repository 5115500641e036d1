import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloseCounters } from '../../../src/server/limits/close-counters.js';
import { LivenessMonitor } from '../../../src/server/limits/liveness-monitor.js';
import type { Connection } from '../../../src/server/websocket/connection.js';
import { ConnectionRegistry } from '../../../src/server/websocket/connection-registry.js';
import { recordingLogger } from '../../mcp/support.js';
import { FakeSocket } from '../../support/fake-socket.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

const MARK = 100_000;

interface Client {
  readonly inner: FakeSocket;
  readonly stream: PassThrough;
  readonly connection: Connection;
}

describe('ConnectionRegistry', () => {
  let clock: ManualClock;
  let log: ReturnType<typeof recordingLogger>;
  let connections: ConnectionRegistry;

  beforeEach(() => {
    clock = new ManualClock();
    log = recordingLogger();
    connections = new ConnectionRegistry({
      clock,
      liveness: new LivenessMonitor({ clock, maxSlowMs: null }),
      maxBufferedBytes: MARK,
      closes: new CloseCounters(),
      logger: log.logger,
    });
  });

  function add(clientId = ''): Client {
    const inner = new FakeSocket();
    const stream = new PassThrough();
    return { inner, stream, connection: connections.add(inner.socket, stream, () => ({ clientId })) };
  }

  function close({ inner }: Client): void {
    inner.readyState = 3;
    inner.emit('close', 1000, Buffer.from(''));
  }

  const pingCounts = (clients: readonly Client[]): number[] =>
    clients.map(({ inner }) => inner.calls.filter(([method]) => method === 'ping').length);

  test('counts open WebSockets, slow ones and unsent bytes', () => {
    const clients = [add(), add(), add()];
    const [first, second, third] = clients;
    expect([connections.size, connections.slowCount, connections.unsentBytes, connections.maxUnsentBytes]).toEqual([
      3, 0, 0, 0,
    ]);
    first?.connection.sendBuffer.recordSent(3 * MARK);
    first?.connection.sendBuffer.canSend();
    for (const [index, client] of clients.entries()) {
      client.stream.cork();
      client.stream.write(Buffer.alloc([10, 30, 20][index] ?? 0));
    }
    expect([connections.slowCount, connections.unsentBytes, connections.maxUnsentBytes]).toEqual([1, 60, 30]);
    if (second !== undefined) second.inner.readyState = 2;
    if (third !== undefined) close(third);
    expect([connections.size, connections.unsentBytes]).toEqual([1, 40]);
  });

  test('returns the last 1,000 round trips in ascending order', () => {
    const { inner, connection } = add();
    const answerAfter = (delayMs: number): void => {
      connection.sendBuffer.ping();
      clock.advance(delayMs);
      inner.emit('pong');
    };
    for (const delayMs of [7, 3, 100]) answerAfter(delayMs);
    expect(connections.roundTripsMs()).toEqual([3, 7, 100]);
    for (let count = 0; count < 998; count += 1) answerAfter(5);
    expect(connections.roundTripsMs()).toHaveLength(1_000);
    expect(connections.roundTripsMs().filter((roundTripMs) => roundTripMs !== 5)).toEqual([3, 100]);
  });

  test('pings each client 20 seconds after its last ping, unless that is unanswered', async () => {
    const clients = [add(), add(), add()];
    const answer = (): void => {
      for (const { inner } of clients.slice(1)) inner.emit('pong');
    };
    answer();
    await clock.pass(19_999, 5_000);
    expect(pingCounts(clients)).toEqual([1, 1, 1]);
    await clock.pass(1);
    expect(pingCounts(clients)).toEqual([1, 2, 2]);
    answer();
    await clock.pass(19_999, 5_000);
    expect(pingCounts(clients)).toEqual([1, 2, 2]);
    await clock.pass(1);
    expect(pingCounts(clients)).toEqual([1, 3, 3]);
  });

  test('checks for due pings while there are clients only, and again when another one opens', async () => {
    const first = add();
    first.inner.emit('pong');
    await clock.pass(5_000);
    close(first);
    await clock.pass(5_000);
    expect(clock.pending).toBe(0);
    const second = add();
    second.inner.emit('pong');
    await clock.pass(20_000, 5_000);
    expect(pingCounts([second])).toEqual([2]);
  });

  test('pings a client whose unread bytes exceed the mark before its ping is due', () => {
    const { inner, connection } = add();
    inner.emit('pong');
    connection.sendBuffer.recordSent(MARK + 1);
    connection.sendBuffer.canSend();
    expect(inner.calls).toEqual([['ping'], ['ping']]);
  });

  test('sends due pings in batches of 64, every 5 ms', async () => {
    const clients = Array.from({ length: 130 }, () => add());
    for (const { inner } of clients) inner.emit('pong');
    const countPings = (): number => pingCounts(clients).reduce((sum, count) => sum + count, 0) - clients.length;
    await clock.pass(20_000, 5_000);
    expect(countPings()).toBe(64);
    // A client that needs a ping does not get ahead of the batch.
    const last = clients.at(-1)?.connection.sendBuffer;
    last?.recordSent(MARK + 1);
    last?.canSend();
    await clock.pass(4);
    expect(countPings()).toBe(64);
    await clock.pass(1);
    expect(countPings()).toBe(128);
    await clock.pass(5);
    expect(countPings()).toBe(130);
  });

  test('does nothing more after it is disposed', () => {
    const clients = Array.from({ length: 65 }, () => add());
    for (const { inner, connection } of clients) {
      inner.emit('pong');
      connection.sendBuffer.recordSent(MARK + 1);
    }
    clients[0]?.connection.sendBuffer.canSend();
    const before = clock.pending;
    connections[Symbol.dispose]();
    // The check and the next batch.
    expect(before - clock.pending).toBe(2);
    for (const client of clients) close(client);
    expect(clock.pending).toBe(0);
  });

  test('can be disposed before a client has connected', () => {
    connections[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });

  test('closes every client by an action of its own, and resolves when all are closed', async () => {
    const clients = [add(), add()];
    const actions = connections.closeActions(1_001, 'bye');
    expect(actions).toHaveLength(2);
    for (const action of actions) action();
    expect(clients.map(({ inner }) => inner.calls.slice(1))).toEqual([
      [['close', 1_001, 'bye']],
      [['close', 1_001, 'bye']],
    ]);
    let isClosed = false;
    const allClosed = connections.allClosed().then(() => (isClosed = true));
    for (const client of clients) {
      await settled();
      expect(isClosed).toBe(false);
      close(client);
    }
    await allClosed;
    await connections.allClosed();
    expect(connections.closeActions(1_001, 'bye')).toEqual([]);
  });

  test('terminates every client', () => {
    const clients = [add(), add()];
    connections.terminateAll();
    expect(clients.map(({ inner }) => inner.calls.at(-1))).toEqual([['terminate'], ['terminate']]);
  });

  test('logs the client of each WebSocket when it is closed', () => {
    for (const clientId of ['a', 'b']) close(add(clientId));
    expect(log.lines.map(({ fields }) => fields['clientId'])).toEqual(['a', 'b']);
  });
});
