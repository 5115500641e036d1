import { once } from 'node:events';
import { connect } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BareClient, DeliveryServer, freshPicture } from '../support/delivery-server.js';
import { readServerSentEvents } from '../support/server-sent-events.js';
import { waitUntil } from '../support/wait.js';

describe('the shared path', () => {
  test('subscriptions over WebSocket, compressed or not, and over SSE are one group with one picture', async () => {
    await using server = await DeliveryServer.start({}, { utilization: () => 0 });
    server.show(0, 50, 0);
    await using plain = await BareClient.connect(server);
    await using deflated = await BareClient.connect(server, true);
    const args = 'mode: NORMAL';
    plain.subscribe(args);
    deflated.subscribe(args, 'another "id" 🐝');
    const query = `subscription { agentUpdates(${args}) { kind cursor removedAgentIds rate { requestedHz effectiveHz } agents { id name capabilities performance { tasksCompleted } } } }`;
    const left = new AbortController();
    const response = await fetch(`${server.url}/graphql?${new URLSearchParams({ query }).toString()}`, {
      headers: { accept: 'text/event-stream' },
      signal: left.signal,
    });
    const events = readServerSentEvents(response);
    const first = await events.next();
    await Promise.all([plain, deflated].map((client) => client.until(({ updates }) => updates.length === 1)));
    expect([server.groups.size, server.active.size]).toEqual([1, 3]);
    expect(deflated.socket.extensions).toContain('permessage-deflate');
    expect(plain.updates).toEqual(deflated.updates);
    expect(first.value).toMatchObject({ data: { agentUpdates: { kind: 'SNAPSHOT' } } });
    server.show(10, 20, 1);
    const second = await events.next();
    await Promise.all([plain, deflated].map((client) => client.until(({ updates }) => updates.length === 2)));
    expect(plain.updates[1]).toEqual(deflated.updates[1]);
    expect(second.value).toEqual({ data: { agentUpdates: plain.updates[1] } });
    expect(plain.picture).toEqual(await freshPicture(server));
    await events.return(undefined);
    left.abort();
    await Promise.all([plain, deflated].map((client) => client[Symbol.asyncDispose]()));
    await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
    expect([server.groups.size, server.groups.lanes, server.demand.size]).toEqual([0, 0, 0]);
  });
});

describe('a hostile client', () => {
  /** The close code that the server answers a frame with, after a handshake that negotiates compression. */
  async function closeCodeAfter(server: DeliveryServer, frame: Buffer): Promise<number> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
        'Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Extensions: permessage-deflate\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(socket, 'data');
    socket.write(frame);
    const [closing] = (await once(socket, 'data')) as [Buffer]; // a socket without an encoding emits buffers
    socket.destroy();
    const at = closing.lastIndexOf(0x88);
    return closing.readUInt16BE(at + 2);
  }

  /** Masked with zeros. */
  function masked(first: number, length: number, payload: Buffer): Buffer {
    const header = Buffer.from([first, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(length, 6);
    return Buffer.concat([header, payload]);
  }

  test.each([
    ['compressed garbage', masked(0xc1, 200, Buffer.alloc(200, 0xff)), 1007],
    ['a frame with reserved bits', masked(0xb1, 10, Buffer.alloc(10)), 1002],
    ['the announcement of a message of 1 GB', masked(0x81, 2 ** 30, Buffer.alloc(10)), 1009],
    ['text that is no UTF-8', masked(0x81, 4, Buffer.from([0xc3, 0x28, 0xa0, 0xa1])), 1007],
    ['text that is no message', masked(0x81, 4, Buffer.from('nope')), 4400],
  ])('%s: its connection is closed, the server lives', async (_, frame, code) => {
    await using server = await DeliveryServer.start();
    server.show(0, 5, 0);
    expect(await closeCodeAfter(server, frame)).toBe(code);
    await using client = await BareClient.connect(server);
    client.subscribe();
    await client.until(({ updates }) => updates.length === 1);
  });

  test('a small message that inflates beyond the limit: 1009', async () => {
    const bomb = deflateRawSync(Buffer.alloc(10_000_000), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    expect(bomb.length).toBeLessThan(20_000);
    await using server = await DeliveryServer.start();
    expect(await closeCodeAfter(server, masked(0xc1, bomb.length, bomb))).toBe(1009);
  });

  test('one id for two subscriptions: 4409', async () => {
    await using server = await DeliveryServer.start();
    await using client = await BareClient.connect(server);
    client.subscribe();
    client.subscribe();
    const [code] = (await once(client.socket, 'close')) as [number]; // of `ws`
    expect(code).toBe(4409);
  });
});
