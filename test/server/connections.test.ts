import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CloseCounters } from '../../src/server/limits/close-counters.js';
import { LivenessMonitor } from '../../src/server/limits/liveness-monitor.js';
import type { Connection } from '../../src/server/websocket/connection.js';
import { ConnectionRegistry } from '../../src/server/websocket/connection-registry.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { recordingLogger } from '../mcp/support.js';

const MARK = 100_000;

/** Real WebSockets in a ConnectionRegistry with a manual clock. */
class RegistrySetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly closes = new CloseCounters();
  readonly log = recordingLogger();
  readonly clients: WebSocket[] = [];
  readonly #liveness = new LivenessMonitor({ clock: this.clock, maxSlowMs: 60_000 });
  readonly connections = new ConnectionRegistry({
    clock: this.clock,
    liveness: this.#liveness,
    maxBufferedBytes: MARK,
    closes: this.closes,
    logger: this.log.logger,
  });
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1_000 });

  /** Connects a client. Resolves after its first pong unless `autoPong` is false. */
  async connect(autoPong = true): Promise<{ client: WebSocket; connection: Connection }> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    const accepted = once(this.#server, 'connection');
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
    this.clients.push(client);
    const opened = once(client, 'open');
    const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }]; // arguments of the event
    const answered = autoPong ? once(socket, 'pong') : Promise.resolve();
    const connection = this.connections.add(socket, request.socket, () => ({ clientId: 'c' }));
    await Promise.all([opened, answered]);
    return { client, connection };
  }

  /** Returns the log of closed WebSockets and their counters. */
  ends(): { logged: unknown[]; counted: unknown[] } {
    return {
      logged: this.log.lines.flatMap(({ level, message, fields }) =>
        message === 'websocket closed' ? [{ level, ...fields }] : [],
      ),
      counted: this.closes.webSockets.map(({ labels, count }) => ({ ...labels, count })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connections[Symbol.dispose]();
    this.#liveness[Symbol.dispose]();
    expect(this.clock.pending).toBe(0);
    for (const client of this.clients) client.terminate();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('ConnectionRegistry', () => {
  test('pings at most 64 clients per batch', async () => {
    await using setup = new RegistrySetup();
    const connections: Connection[] = [];
    for (let count = 0; count < 130; count += 1) connections.push((await setup.connect()).connection);
    const countPinged = (): number => connections.filter(({ sendBuffer }) => sendBuffer.isPinged).length;
    for (const { sendBuffer } of connections) sendBuffer.recordSent(MARK + 1);
    // No pong can arrive in between, because everything happens in one turn.
    const pingedCounts = [countPinged()];
    for (let round = 0; round < 3; round += 1) {
      expect(connections.every(({ sendBuffer }) => sendBuffer.canSend())).toBe(true);
      pingedCounts.push(countPinged());
      setup.clock.advance(5);
    }
    expect([...pingedCounts, countPinged()]).toEqual([0, 64, 128, 130, 130]);
  });

  test('closes a client that does not answer pings with 1013 and the reason, and counts and logs it', async () => {
    await using setup = new RegistrySetup();
    const alive = await setup.connect();
    const dead = await setup.connect(false);
    const closed = once(dead.client, 'close');
    await setup.clock.pass(60_000, 5_000);
    const [code, reason]: unknown[] = await closed;
    expect([code, String(reason)]).toEqual([1013, 'Client did not answer a ping']);
    await once(dead.connection.socket, 'close');
    expect(setup.ends()).toMatchObject({
      logged: [{ level: 'debug', clientId: 'c', code: 1013, reason: 'Client did not answer a ping', side: 'server' }],
      counted: [{ code: '1013', side: 'server', count: 1 }],
    });
    expect(setup.closes.unresponsiveClients).toEqual([{ labels: { protocol: 'websocket' }, count: 1 }]);
    expect(alive.client.readyState).toBe(WebSocket.OPEN);
  });

  test('closes a slow client under the same rule', async () => {
    await using setup = new RegistrySetup();
    const { client, connection } = await setup.connect(false);
    const closed = once(client, 'close');
    connection.sendBuffer.recordSent(3 * MARK);
    expect(connection.sendBuffer.canSend()).toBe(false);
    await setup.clock.pass(60_000, 5_000);
    const [code, reason]: unknown[] = await closed;
    expect([code, String(reason)]).toEqual([1013, 'Client reads too slowly']);
  });

  test('keeps clients whose pong arrived while the process was stalled', async () => {
    await using setup = new RegistrySetup();
    const { client } = await setup.connect();
    for (let round = 0; round < 4; round += 1) {
      const pinged = once(client, 'ping');
      await setup.clock.pass(20_000, 5_000);
      await pinged;
      // The pong is in the socket, but not read yet when the timers fire late.
      setup.clock.stall(300_000);
      await settled();
    }
    await setup.clock.pass(10_000, 5_000);
    expect(client.readyState).toBe(WebSocket.OPEN);
  });

  test.each([
    ['a code of the client', (client: WebSocket) => client.close(4321, 'bye'), { code: 4321, reason: 'bye' }, 'other'],
    ['no code', (client: WebSocket) => client.close(), { code: 1005, reason: '' }, '1005'],
    ['a lost connection', (client: WebSocket) => client.terminate(), { code: 1006, reason: '' }, '1006'],
  ])('counts and logs the end by %s', async (_, end, logged, label) => {
    await using setup = new RegistrySetup();
    const { client, connection } = await setup.connect();
    setup.clock.advance(1_234);
    const closed = once(connection.socket, 'close');
    end(client);
    await closed;
    expect(setup.ends()).toMatchObject({
      logged: [{ ...logged, side: 'client', durationMs: 1_234 }],
      counted: [{ code: label, side: 'client', count: 1 }],
    });
  });

  test('counts a message that is too long by the code that ws sends', async () => {
    await using setup = new RegistrySetup();
    const { client, connection } = await setup.connect();
    connection.socket.on('error', () => undefined);
    const closed = new Promise((resolve) => connection.socket.on('close', resolve));
    client.send('x'.repeat(2_000));
    await closed;
    expect(setup.ends().counted).toEqual([{ code: '1009', side: 'server', count: 1 }]);
  });

  test('truncates a close reason that is too long', async () => {
    await using setup = new RegistrySetup();
    const { client, connection } = await setup.connect();
    const closed = once(client, 'close');
    connection.close(4400, 'ü'.repeat(100));
    const [code, reason]: unknown[] = await closed;
    expect(code).toBe(4400);
    expect(Buffer.byteLength(String(reason))).toBeLessThanOrEqual(123);
    expect('ü'.repeat(100).startsWith(String(reason))).toBe(true);
  });
});
