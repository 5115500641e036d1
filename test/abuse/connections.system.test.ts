import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { networkOf } from '../../src/server/admission.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { answerOf, Attacker, codeIn, hitsOf, post, raw, rudeUpgrade, upgrade } from './attacker.js';
import { Bystander } from './bystander.js';
import { waitUntil } from '../support/wait.js';

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Whether a new WebSocket stays: one that is too many is closed at once. */
async function isServed(server: DeliveryServer): Promise<boolean> {
  await using client = await Attacker.connect(server);
  client.send({ type: 'connection_init' });
  const entered = client.until(({ messages }) => messages.length === 1);
  return await Promise.race([entered.then(() => true), client.closed.then(() => false)]).catch(() => false);
}

describe('connections', () => {
  test('500 too many of one address: 429 over HTTP, 1013 for a WebSocket; served again when the others have gone', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerAddress: 20 });
    await using bystander = await Bystander.watch(server);
    await bystander.during(async () => {
      const sockets = Array.from({ length: 19 }, () => raw(server, ''));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      // By then the server has seen them too.
      await waitUntil(
        async () => {
          await answerOf(raw(server, REQUEST));
          return hitsOf(server, 'maxConnectionsPerAddress') > 0;
        },
        { state: () => server.counters.read() },
      );
      const closed = await Promise.all(
        Array.from({ length: 250 }, async () => (await Attacker.connect(server)).closed),
      );
      for (const { code, reason } of closed)
        expect([code, reason]).toEqual([1013, expect.stringContaining('close some of them')]);
      const answers = await Promise.all(Array.from({ length: 250 }, () => answerOf(raw(server, REQUEST))));
      for (const answer of answers)
        expect(answer).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 1\r\n[^]*close some of them/i);
      expect(hitsOf(server, 'maxConnectionsPerAddress')).toBeGreaterThanOrEqual(500);
      const left = sockets.map((socket) => once(socket, 'close').then(() => undefined));
      for (const socket of sockets) socket.destroy();
      await Promise.all(left);
      await waitUntil(() => isServed(server), { state: () => server.counters.read() });
    });
  });

  test('more than the server takes: 503 over HTTP, 1013 for a WebSocket, and those that say nothing are ended', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnections: 3 });
    await using bystander = await Bystander.watch(server);
    await bystander.during(async () => {
      const sockets = [raw(server, ''), raw(server, '')];
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      await waitUntil(
        async () => {
          await answerOf(raw(server, REQUEST));
          return hitsOf(server, 'maxConnections') > 0;
        },
        { state: () => server.counters.read() },
      );
      expect(await (await Attacker.connect(server)).closed).toMatchObject({ code: 1013 });
      // Whatever is sent with the request: a frame that is none, a ping.
      for (const more of [Buffer.alloc(8, 0xff), Buffer.from([0x89, 0x80, 1, 2, 3, 4])]) {
        expect(await rudeUpgrade(server, more)).toMatch(/^HTTP\/1\.1 101 /);
      }
      // What is no client's, or no WebSocket at all, is not let in for that.
      expect(await upgrade(server, { origin: 'https://evil.example' })).toBe(503);
      expect(await answerOf(raw(server, REQUEST))).toMatch(/^HTTP\/1\.1 503 /);
      expect(await answerOf(raw(server, ''))).toBe('');
      for (const socket of sockets) socket.destroy();
    });
  });

  test('a client of graphql-ws that is one too many comes back by itself, and is served when there is room', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerAddress: 1 });
    server.show(0, 3, 0);
    const first = await Attacker.enter(server);
    const closed: unknown[] = [];
    const client = createClient({
      url: server.socketUrl,
      webSocketImpl: WebSocket,
      retryAttempts: Infinity,
      // What it finds when it comes back for the first time is that it is too many, again.
      retryWait: async (retries) => (retries < 1 ? undefined : await first[Symbol.asyncDispose]()),
      on: { closed: (event) => closed.push(event) },
    });
    const updates = client.iterate({ query: 'subscription { agentUpdates { kind } }' });
    expect(await updates.next()).toMatchObject({ value: { data: { agentUpdates: { kind: 'SNAPSHOT' } } } });
    expect(closed.length).toBeGreaterThanOrEqual(2);
    for (const event of closed) expect(event).toMatchObject({ code: 1013 });
    await client.dispose();
  });

  test('too many WebSockets of one viewer: closed with 1013 after connection_init, and let in when another has left', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerViewer: 3 });
    await using bystander = await Bystander.watch(server);
    const [one, other] = [await Attacker.enter(server), await Attacker.enter(server)];
    const third = await Attacker.connect(server);
    await bystander.during(async () => {
      third.send({ type: 'connection_init' });
      expect(await third.closed).toEqual({ code: 1013, reason: 'More than 3 connections of one viewer' });
    });
    expect(hitsOf(server, 'maxConnectionsPerViewer')).toBe(1);
    await one[Symbol.asyncDispose]();
    await waitUntil(() => isServed(server), { state: () => server.counters.read() });
    await other[Symbol.asyncDispose]();
  });

  test('slow handshakes: 408, whether nothing is sent, half a request or half a body', async () => {
    await using server = await DeliveryServer.start({}, {}, { headersTimeoutMs: 2_000, requestTimeoutMs: 3_000 });
    await using bystander = await Bystander.watch(server);
    const half = 'GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n';
    const body =
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    const sent = [...new Array<string>(50).fill(half), ...new Array<string>(50).fill(''), body];
    const answers = await bystander.during(
      async () => await Promise.all(sent.map(async (text) => await answerOf(raw(server, text)))),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(hitsOf(server, 'requestTimeoutMs')).toBe(101);
  });

  test('an upgrade that a page of another origin asks for: 403', async () => {
    await using server = await DeliveryServer.start();
    expect(await upgrade(server, { origin: 'https://evil.example' })).toBe(403);
  });

  test('addresses are told apart, of IPv6 by their network', () => {
    expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff::2'));
    expect(networkOf('2001:db8::1')).not.toBe(networkOf('2001:db8:0:1::1'));
    expect(networkOf('::1')).toBe('0:0:0:0');
  });
});

describe('HTTP requests', () => {
  test('headers that are too long: 431', async () => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    const answer = await bystander.during(
      async () => await answerOf(raw(server, `GET /graphql?query=${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`)),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(hitsOf(server, 'maxHeaderBytes')).toBe(1);
  });

  test('a body that is too long: 413, with its length said before or not', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxBodyBytes: 2_048 });
    await using bystander = await Bystander.watch(server);
    const body = JSON.stringify({ query: `{ __typename } #${'x'.repeat(4_000)}` });
    await bystander.during(async () => {
      for (const sent of [body, new Blob([body]).stream()]) {
        const response = await post(server, sent);
        expect([response.status, codeIn(await response.json())]).toEqual([413, 'LIMIT_EXCEEDED']);
      }
    });
    expect(hitsOf(server, 'maxBodyBytes')).toBe(2);
  });

  test('what is no HTTP: 400', async () => {
    await using server = await DeliveryServer.start();
    expect(await answerOf(raw(server, 'nonsense\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('too many a second of one viewer: 429 with RATE_LIMITED, when to try again, and nothing run', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxRequestsPerSecond: 5 });
    await using bystander = await Bystander.watch(server);
    const mutation = JSON.stringify({ query: 'mutation { refreshDiscovery { timestamp } }' });
    const startMs = performance.now();
    const responses = await bystander.during(
      async () => await Promise.all(Array.from({ length: 200 }, async () => await post(server, mutation))),
    );
    const seconds = (performance.now() - startMs) / 1_000;
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused.length + server.uses.length).toBe(200);
    // Those of the first moment, and as many again each second that the requests took.
    expect(server.uses.length).toBeLessThanOrEqual(5 + 5 * seconds);
    expect(hitsOf(server, 'maxRequestsPerSecond')).toBe(refused.length);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    const { errors } = (await refused[0]?.json()) as { errors: { extensions: Record<string, unknown> }[] };
    expect(errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) as number });
  });
});

describe('a WebSocket', () => {
  test('that says nothing: 4408', async () => {
    await using server = await DeliveryServer.start({}, {}, { connectionInitTimeoutMs: 20 });
    await using attacker = await Attacker.connect(server);
    expect((await attacker.closed).code).toBe(4408);
    expect(hitsOf(server, 'connectionInitTimeoutMs')).toBe(1);
  });

  test.each<[string, number, (attacker: Attacker) => void]>([
    ['inits twice', 4429, (attacker) => attacker.send({ type: 'connection_init' })],
    ['sends no JSON', 4400, ({ socket }) => socket.send('{')],
    ['sends a message of no kind', 4400, (attacker) => attacker.send({ type: 'nonsense' })],
    ['sends JSON of 100,000 levels', 4400, ({ socket }) => socket.send('['.repeat(100_000))],
    ['sends invalid UTF-8', 1007, ({ socket }) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
    ['sends a message that is too long', 1009, ({ socket }) => socket.send('x'.repeat(262_145))],
    [
      'sends a message that is too long, in parts',
      1009,
      ({ socket }) => {
        for (let part = 0; part < 9; part += 1) socket.send('x'.repeat(32_768), { fin: false });
      },
    ],
    [
      'sends a message in too many parts',
      1008,
      ({ socket }) => {
        for (let part = 0; part < 1_100; part += 1) socket.send('x', { fin: false });
      },
    ],
    [
      'uses an id twice at a time',
      4409,
      (attacker) => {
        for (const id of ['1', '1']) attacker.run(id, 'subscription { agentUpdates { cursor } }');
      },
    ],
  ])('that %s: closed with %i, and nobody else', async (_name, code, misbehave) => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    const closed = await bystander.during(async () => {
      misbehave(attacker);
      return await attacker.closed;
    });
    expect(closed.code).toBe(code);
    const limit = code === 1009 ? 'maxMessageBytes' : code === 1008 ? 'maxMessageFragments' : null;
    if (limit !== null) expect(hitsOf(server, limit)).toBe(1);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'that uses the id %s: it is an id like any other',
    async (id) => {
      await using server = await DeliveryServer.start();
      await using bystander = await Bystander.watch(server);
      await using attacker = await Attacker.enter(server);
      await bystander.during(async () => {
        attacker.run(id, 'subscription { agentUpdates(mode: ON_DEMAND) { kind } }');
        await attacker.until(({ messages }) => messages.length === 2);
        attacker.send({ id, type: 'complete' });
        await waitUntil(() => server.active.size <= 1, { state: () => server.active.size });
        attacker.run(id, '{ __typename }');
        await attacker.until(({ messages }) => messages.length === 4);
      });
      expect(attacker.messages.slice(1)).toEqual([
        { id, type: 'next', payload: { data: { agentUpdates: { kind: 'SNAPSHOT' } } } },
        { id, type: 'next', payload: { data: { __typename: 'Query' } } },
        { id, type: 'complete' },
      ]);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );

  test('that subscribes before it has said who it is: 4401', async () => {
    await using server = await DeliveryServer.start();
    await using attacker = await Attacker.connect(server);
    attacker.run('1', '{ __typename }');
    expect((await attacker.closed).code).toBe(4401);
  });

  test.each<[string, (attacker: Attacker, index: number) => void]>([
    ['10,000 subscribes', (attacker, index) => attacker.run(`${index}`, 'subscription { agentUpdates { cursor } }')],
    ['10,000 messages that mean nothing', (attacker) => attacker.send({ type: 'pong' })],
    ['10,000 pongs of the WebSocket', ({ socket }) => socket.pong()],
  ])('%s at once: closed with 1013, and what is behind is not looked at', async (_name, send) => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    const closed = await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) send(attacker, index);
      return await attacker.closed;
    });
    expect(closed).toEqual({ code: 1013, reason: 'More than 100 messages a second' });
    expect(hitsOf(server, 'maxMessagesPerSecond')).toBe(1);
    // The bystander's is left.
    await waitUntil(() => server.active.size <= 1, { state: () => server.active.size });
  });

  test('10,000 pings of the WebSocket at once: ended, as ws does with those that cannot be answered', async () => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) attacker.socket.ping();
      expect((await attacker.closed).code).toBe(1006);
    });
  });

  test('10,000 subscribes that are not too fast: as many run as may, all others are told, and there is room again', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxMessagesPerSecond: 10_000 });
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) {
        attacker.run(`${index}`, 'subscription { agentUpdates(mode: ON_DEMAND) { cursor } }');
      }
      await attacker.until(({ messages }) => messages.filter(({ type }) => type !== 'next').length >= 9_900);
    });
    const refused = attacker.messages.filter(({ payload }) => codeIn(payload ?? {}) === 'LIMIT_EXCEEDED');
    expect(refused).toHaveLength(9_900);
    expect(hitsOf(server, 'maxOperationsPerSocket') + hitsOf(server, 'maxSubscriptionsPerSocket')).toBe(9_900);
    // The bystander's is one of them.
    expect(server.active.size).toBe(101);
    attacker.send({ id: '0', type: 'complete' });
    await waitUntil(() => server.active.size <= 100, { state: () => server.active.size });
    expect(await attacker.codeOf('subscription { agentUpdates(mode: ON_DEMAND) { cursor } }')).toBeUndefined();
    expect(server.active.size).toBe(101);
  });

  test('subscriptions of one viewer are counted over all its WebSockets and SSE, and given back', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxSubscriptionsPerViewer: 3 });
    await using bystander = await Bystander.watch(server);
    await using one = await Attacker.enter(server);
    await using other = await Attacker.enter(server);
    const query = 'subscription { agentUpdates(mode: ON_DEMAND) { cursor } }';
    const left = new AbortController();
    const listen = async (): Promise<Response> =>
      await fetch(`${server.url}/graphql?${new URLSearchParams({ query }).toString()}`, {
        headers: { accept: 'text/event-stream' },
        signal: left.signal,
      });
    expect(await one.codeOf(query)).toBeUndefined();
    const stream = await listen();
    await waitUntil(() => server.active.size >= 3, { state: () => server.active.size });
    await bystander.during(async () => {
      expect(await other.codeOf(query)).toBe('LIMIT_EXCEEDED');
      expect(await (await listen()).text()).toContain('"code":"LIMIT_EXCEEDED"');
    });
    expect(hitsOf(server, 'maxSubscriptionsPerViewer')).toBe(2);
    left.abort();
    await stream.text().catch(() => undefined);
    await one[Symbol.asyncDispose]();
    await waitUntil(() => server.active.size <= 1, { state: () => server.active.size });
    for (const id of ['a', 'b']) other.run(id, query);
    await waitUntil(() => server.active.size >= 3, { state: () => server.active.size });
  });
});
