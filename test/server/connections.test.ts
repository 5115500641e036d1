import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ConnectionRegistry } from '../../src/server/websocket/connection-registry.js';
import type { SendBuffer } from '../../src/server/websocket/send-buffer.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const MARK = 100_000;

/** Real WebSockets, looked after by `Connections` with a clock of the test's own. */
class Rig implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly connections = new ConnectionRegistry({ clock: this.clock, maxBufferedBytes: MARK, maxSlowMs: null });
  readonly clients: WebSocket[] = [];
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  /** Has answered its first ping, if it answers any. */
  async connect(autoPong = true): Promise<{ client: WebSocket; outlet: SendBuffer }> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
    // It listens on a port.
    const { port } = this.#server.address() as AddressInfo;
    const accepted = once(this.#server, 'connection');
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
    this.clients.push(client);
    const opened = once(client, 'open');
    // What the events bring.
    const [socket, request] = (await accepted) as [WebSocket, { socket: Socket }];
    const answered = autoPong ? once(socket, 'pong') : Promise.resolve();
    const outlet = this.connections.add(socket, request.socket);
    await Promise.all([opened, answered]);
    return { client, outlet };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connections[Symbol.dispose]();
    expect(this.clock.pending).toBe(0);
    for (const client of this.clients) client.terminate();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('readers that have been sent the same are asked 64 at a time, however many ask to be', async () => {
  await using rig = new Rig();
  const outlets: SendBuffer[] = [];
  for (let made = 0; made < 130; made += 1) outlets.push((await rig.connect()).outlet);
  const asked = (): number => outlets.filter(({ pingedAtMs }) => pingedAtMs !== null).length;
  for (const outlet of outlets) outlet.recordSent(MARK + 1);
  // No answer can come in between: all of this happens at once.
  const seen = [asked()];
  for (let look = 0; look < 3; look += 1) {
    expect(outlets.every((outlet) => outlet.canSend())).toBe(true);
    seen.push(asked());
    rig.clock.advance(5);
  }
  expect([...seen, asked()]).toEqual([0, 64, 128, 130, 130]);
});

test('a client that does not answer is cut off, and one that answers stays', async () => {
  await using rig = new Rig();
  const alive = await rig.connect();
  const dead = await rig.connect(false);
  const closed = once(dead.client, 'close');
  rig.clock.advance(10_000);
  const [code]: unknown[] = await closed;
  expect(code).toBe(1006);
  expect(alive.client.readyState).toBe(WebSocket.OPEN);
  const pinged = once(alive.client, 'ping');
  rig.clock.advance(10_000);
  await pinged;
});

test('clients that answered while this process was stalled stay', async () => {
  await using rig = new Rig();
  const { client } = await rig.connect();
  const pinged = once(client, 'ping');
  rig.clock.advance(20_000);
  await pinged;
  // The answer waits in the socket: nothing has read it yet when the timer fires late.
  rig.clock.stall(30_000);
  await settled();
  rig.clock.advance(10_000);
  await settled();
  expect(client.readyState).toBe(WebSocket.OPEN);
});
