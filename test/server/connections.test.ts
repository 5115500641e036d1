import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ConnectionRegistry } from '../../src/server/websocket/connection-registry.js';
import type { SendBuffer } from '../../src/server/websocket/send-buffer.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const MARK = 100_000;

/** Real WebSockets in a ConnectionRegistry with a manual clock. */
class RegistrySetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly connections = new ConnectionRegistry({ clock: this.clock, maxBufferedBytes: MARK, maxSlowMs: null });
  readonly clients: WebSocket[] = [];
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  /** Connects a client. Resolves after its first pong unless `autoPong` is false. */
  async connect(autoPong = true): Promise<{ client: WebSocket; sendBuffer: SendBuffer }> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    const accepted = once(this.#server, 'connection');
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
    this.clients.push(client);
    const opened = once(client, 'open');
    const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }]; // arguments of the event
    const answered = autoPong ? once(socket, 'pong') : Promise.resolve();
    const sendBuffer = this.connections.add(socket, request.socket);
    await Promise.all([opened, answered]);
    return { client, sendBuffer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connections[Symbol.dispose]();
    expect(this.clock.pending).toBe(0);
    for (const client of this.clients) client.terminate();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('ConnectionRegistry pings at most 64 clients per batch', async () => {
  await using setup = new RegistrySetup();
  const sendBuffers: SendBuffer[] = [];
  for (let count = 0; count < 130; count += 1) sendBuffers.push((await setup.connect()).sendBuffer);
  const countPinged = (): number => sendBuffers.filter(({ pingedAtMs }) => pingedAtMs !== null).length;
  for (const sendBuffer of sendBuffers) sendBuffer.recordSent(MARK + 1);
  // No pong can arrive in between, because everything happens in one turn.
  const pingedCounts = [countPinged()];
  for (let round = 0; round < 3; round += 1) {
    expect(sendBuffers.every((sendBuffer) => sendBuffer.canSend())).toBe(true);
    pingedCounts.push(countPinged());
    setup.clock.advance(5);
  }
  expect([...pingedCounts, countPinged()]).toEqual([0, 64, 128, 130, 130]);
});

test('ConnectionRegistry terminates clients that do not answer pings', async () => {
  await using setup = new RegistrySetup();
  const alive = await setup.connect();
  const dead = await setup.connect(false);
  const closed = once(dead.client, 'close');
  setup.clock.advance(10_000);
  const [code]: unknown[] = await closed;
  expect(code).toBe(1006);
  expect(alive.client.readyState).toBe(WebSocket.OPEN);
  const pinged = once(alive.client, 'ping');
  setup.clock.advance(10_000);
  await pinged;
});

test('ConnectionRegistry keeps clients whose pong arrived while the process was stalled', async () => {
  await using setup = new RegistrySetup();
  const { client } = await setup.connect();
  const pinged = once(client, 'ping');
  setup.clock.advance(20_000);
  await pinged;
  // The pong is in the socket, but not read yet when the timer fires late.
  setup.clock.stall(30_000);
  await settled();
  setup.clock.advance(10_000);
  await settled();
  expect(client.readyState).toBe(WebSocket.OPEN);
});
