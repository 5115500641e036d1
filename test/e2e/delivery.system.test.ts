import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { BareClient, DeliveryServer } from '../support/delivery-server.js';

const AGENTS = 400;
/** `maxBufferedBytes` of the server. */
const MARK = 65_536;

async function ask<T>(server: DeliveryServer, query: string): Promise<T> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: T }).data; // the shape that GraphQL over HTTP prescribes
}

interface Connections {
  readonly open: number;
  readonly slow: number;
  readonly unsentBytes: number;
}

async function connections(server: DeliveryServer): Promise<Connections> {
  const query = '{ health { connections { open slow unsentBytes } } }';
  return (await ask<{ health: { connections: Connections } }>(server, query)).health.connections;
}

/** What a fresh query answers, as a client's picture. */
async function freshPicture(server: DeliveryServer): Promise<Map<string, string>> {
  const { agents } = await ask<{ agents: { id: string; name: string }[] }>(server, '{ agents { id name } }');
  return new Map(agents.map(({ id, name }) => [id, name]));
}

/** Has its snapshot. */
async function reader(server: DeliveryServer): Promise<BareClient> {
  const client = await BareClient.connect(server);
  client.subscribe();
  await client.until(({ updates }) => updates.length === 1);
  return client;
}

/** Changes everything again and again, each time after `quick` has been told, until `enough`. */
async function pump(
  server: DeliveryServer,
  quick: BareClient,
  round: { value: number },
  enough: () => Promise<boolean> | boolean,
): Promise<void> {
  while (!(await enough())) {
    const before = quick.updates.length;
    server.show(0, AGENTS, (round.value += 1));
    await quick.until(({ updates }) => updates.length > before);
  }
}

describe('a client that stops reading', () => {
  test('is skipped, costs one mark of memory, slows nobody, and is told all of it at once when it reads again', async () => {
    await using server = await DeliveryServer.start();
    server.show(0, AGENTS, 0);
    await using quick = await reader(server);
    await using slow = await reader(server);
    slow.socket.pause();
    const round = { value: 0 };
    await pump(server, quick, round, async () => (await connections(server)).slow === 1);
    const before = (await connections(server)).unsentBytes;
    const until = round.value + 60;
    await pump(server, quick, round, () => round.value >= until);
    server.remove(['x:0', 'x:7']);
    const after = (await connections(server)).unsentBytes;
    expect(after).toBeLessThanOrEqual(before);
    expect(before).toBeLessThan(2 * MARK);
    // Of a machine with other work a tick is missed now and then; of waiting for the other, nearly all would be.
    expect(quick.updates.at(-1)?.rate.effectiveHz).toBeGreaterThan(30);
    const told = slow.updates.length;
    const toldBytes = slow.bytes;
    slow.socket.resume();
    await slow.until(({ picture }) => !picture.has('x:7'));
    const late = slow.updates.at(-1);
    expect(late?.kind).toBe('DELTA');
    expect(late?.rate.effectiveHz).toBeLessThan(10);
    expect(slow.picture).toEqual(await freshPicture(server));
    // What was on the way when it stopped, then all the rest in one piece.
    expect(slow.updates.length - told).toBeLessThan(10);
    expect(slow.bytes - toldBytes).toBeLessThan(2 * MARK + 3 * (quick.bytes / quick.updates.length));
    expect(slow.updates.filter(({ kind }) => kind === 'SNAPSHOT')).toHaveLength(1);
    const again = slow.updates.length + 60;
    await pump(server, quick, round, () => slow.updates.length >= again);
    expect(slow.updates.at(-1)?.rate.effectiveHz).toBeGreaterThan(30);
    expect(server.errors).toEqual([]);
  });

  test('with many different subscriptions it costs one mark of memory too, and each is told in the end', async () => {
    await using server = await DeliveryServer.start();
    server.show(0, 2_000, 0);
    await using client = await BareClient.connect(server);
    client.socket.pause();
    const SUBSCRIPTIONS = 100;
    for (let index = 0; index < SUBSCRIPTIONS; index += 1) {
      client.subscribe(`mode: NORMAL, agentTypes: ["coder", "tester", "${index}"]`, `${index}`);
    }
    while (server.active.size < SUBSCRIPTIONS) await new Promise(setImmediate);
    while ((await connections(server)).slow === 0) await new Promise(setImmediate);
    const { unsentBytes } = await connections(server);
    client.socket.resume();
    await client.until(({ updates }) => updates.length >= SUBSCRIPTIONS);
    const snapshotBytes = client.bytes / client.updates.length;
    expect(snapshotBytes).toBeGreaterThan(200_000);
    expect(unsentBytes).toBeLessThan(snapshotBytes * 5);
  });

  test('is closed with 1013 when it stays like that, and can come back with its cursor', async () => {
    await using server = await DeliveryServer.start({ maxSlowMs: 100 });
    server.show(0, AGENTS, 0);
    await using quick = await reader(server);
    await using slow = await reader(server);
    slow.socket.pause();
    const round = { value: 0 };
    const closed = once(slow.socket, 'close');
    await pump(server, quick, round, async () => (await connections(server)).open === 1);
    slow.socket.resume();
    expect((await closed)[0]).toBe(1013);
    const cursor = slow.updates.at(-1)?.cursor ?? '';
    await using back = await BareClient.connect(server);
    for (const [id, name] of slow.picture) back.picture.set(id, name);
    back.subscribe(`mode: HIGH_FREQUENCY, after: "${cursor}"`);
    await back.until(({ updates }) => updates.length === 1);
    expect(back.updates[0]?.kind).toBe('DELTA');
    expect(back.picture).toEqual(await freshPicture(server));
  });
});

describe('the shared path', () => {
  test('subscriptions over WebSocket, compressed or not, and over SSE are one group with one picture', async () => {
    await using server = await DeliveryServer.start();
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
    const events = readEvents(response);
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
    while (server.active.size > 0) await new Promise(setImmediate);
    expect([server.groups.size, server.groups.tickerCount, server.demand.size]).toEqual([0, 0, 0]);
  });

  test('1,000 subscribe and leave rounds over one socket leave nothing behind', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxMessagesPerSecond: 2_000 });
    server.show(0, 5, 0);
    await using client = await BareClient.connect(server, true);
    for (let round = 0; round < 1_000; round += 1) {
      client.subscribe(`mode: HIGH_FREQUENCY, agentTypes: ["coder", "${round % 3}"]`, `${round}`);
      if (round % 10 === 0) await client.until(({ updates }) => updates.at(-1)?.agents.length === 3);
      client.socket.send(JSON.stringify({ id: `${round}`, type: 'complete' }));
      if (round % 10 === 0) client.updates.length = 0;
    }
    client.subscribe('mode: ON_DEMAND', 'last');
    await client.until(({ updates }) => updates.at(-1)?.agents.length === 5);
    expect([server.groups.size, server.groups.tickerCount, server.active.size, server.demand.size]).toEqual([
      1, 1, 1, 1,
    ]);
    await client[Symbol.asyncDispose]();
    while (server.active.size > 0) await new Promise(setImmediate);
    expect([server.groups.size, server.groups.tickerCount, server.demand.size]).toEqual([0, 0, 0]);
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
    const { deflateRawSync, constants } = await import('node:zlib');
    const bomb = deflateRawSync(Buffer.alloc(10_000_000), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    expect(bomb.length).toBeLessThan(20_000);
    await using server = await DeliveryServer.start();
    expect(await closeCodeAfter(server, masked(0xc1, bomb.length, bomb))).toBe(1009);
  });

  test('thousands of subscriptions in one burst: all are served or the socket is closed, and nothing stays', async () => {
    await using server = await DeliveryServer.start();
    server.show(0, 5, 0);
    await using client = await BareClient.connect(server);
    for (let index = 0; index < 3_000; index += 1) client.subscribe(`agentTypes: ["coder", "${index}"]`, `${index}`);
    await client.until(({ updates, socket }) => updates.length === 3_000 || socket.readyState === socket.CLOSED);
    await using other = await BareClient.connect(server);
    other.subscribe();
    await other.until(({ updates }) => updates.length === 1);
    await client[Symbol.asyncDispose]();
    while (server.active.size > 1) await new Promise(setImmediate);
    expect(server.groups.size).toBe(1);
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

async function* readEvents(response: Response): AsyncGenerator {
  if (response.body === null) throw new Error('no body');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
