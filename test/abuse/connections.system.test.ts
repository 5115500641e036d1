import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { toNetworkKey } from '../../src/server/limits/client-identity.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { answerOf, Attacker, codeIn, hitsOf, post, raw, rudeUpgrade, upgrade } from './attacker.js';
import { Bystander } from './bystander.js';
import { waitUntil } from '../support/wait.js';

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Returns whether a new WebSocket is accepted. Excess WebSockets are closed immediately. */
async function isServed(server: DeliveryServer): Promise<boolean> {
  await using client = await Attacker.connect(server);
  client.send({ type: 'connection_init' });
  const entered = client.until(({ messages }) => messages.length === 1);
  return await Promise.race([entered.then(() => true), client.closed.then(() => false)]).catch(() => false);
}

describe('connection limits', () => {
  test('reject 500 excess connections of one address with 429 or 1013 until others have closed', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerAddress: 20 });
    await using bystander = await Bystander.watch(server);
    await bystander.during(async () => {
      const sockets = Array.from({ length: 19 }, () => raw(server, ''));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      // The limit is reached when the server has accepted all connections.
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
        expect([code, reason]).toEqual([1013, expect.stringContaining('Close some of them')]);
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

  test('reject connections above maxConnections with 503 or 1013 and close silent ones', async () => {
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
      // Bytes sent with the request, an invalid frame and a ping, must not prevent the response.
      for (const more of [Buffer.alloc(8, 0xff), Buffer.from([0x89, 0x80, 1, 2, 3, 4])]) {
        expect(await rudeUpgrade(server, more)).toMatch(/^HTTP\/1\.1 101 /);
      }
      // Requests of foreign origins and plain HTTP requests get no upgrade.
      expect(await upgrade(server, { origin: 'https://evil.example' })).toBe(503);
      expect(await answerOf(raw(server, REQUEST))).toMatch(/^HTTP\/1\.1 503 /);
      expect(await answerOf(raw(server, ''))).toBe('');
      for (const socket of sockets) socket.destroy();
    });
  });

  test('let a rejected graphql-ws client reconnect when another connection has closed', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerAddress: 1 });
    server.show(0, 3, 0);
    const first = await Attacker.enter(server);
    const closed: unknown[] = [];
    const client = createClient({
      url: server.socketUrl,
      webSocketImpl: WebSocket,
      retryAttempts: Infinity,
      // The first retry is rejected as well, because the other connection closes only before the second one.
      retryWait: async (retries) => (retries < 1 ? undefined : await first[Symbol.asyncDispose]()),
      on: { closed: (event) => closed.push(event) },
    });
    const updates = client.iterate({ query: 'subscription { agentUpdates { kind } }' });
    expect(await updates.next()).toMatchObject({ value: { data: { agentUpdates: { kind: 'SNAPSHOT' } } } });
    expect(closed.length).toBeGreaterThanOrEqual(2);
    for (const event of closed) expect(event).toMatchObject({ code: 1013 });
    await client.dispose();
  });

  test('close excess WebSockets of one viewer with 1013 after connection_init until another has closed', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxConnectionsPerViewer: 3 });
    await using bystander = await Bystander.watch(server);
    const [one, other] = [await Attacker.enter(server), await Attacker.enter(server)];
    const third = await Attacker.connect(server);
    await bystander.during(async () => {
      third.send({ type: 'connection_init' });
      expect(await third.closed).toEqual({ code: 1013, reason: 'More than 3 connections per viewer' });
    });
    expect(hitsOf(server, 'maxConnectionsPerViewer')).toBe(1);
    await one[Symbol.asyncDispose]();
    await waitUntil(() => isServed(server), { state: () => server.counters.read() });
    await other[Symbol.asyncDispose]();
  });

  test('answer slow requests with 408 when half a header or half a body is sent, and close unused connections', async () => {
    await using server = await DeliveryServer.start({}, {}, { headersTimeoutMs: 2_000, requestTimeoutMs: 3_000 });
    await using bystander = await Bystander.watch(server);
    const half = 'GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n';
    const body =
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    const sent = [...new Array<string>(50).fill(half), ...new Array<string>(50).fill(''), body];
    const answers = await bystander.during(
      async () => await Promise.all(sent.map(async (text) => await answerOf(raw(server, text)))),
    );
    for (const [index, answer] of answers.entries()) {
      expect(answer).toMatch(sent[index] === '' ? /^$/ : /^HTTP\/1\.1 408 /);
    }
    expect(hitsOf(server, 'requestTimeoutMs')).toBe(51);
  });

  test('reject upgrades of other origins with 403', async () => {
    await using server = await DeliveryServer.start();
    expect(await upgrade(server, { origin: 'https://evil.example' })).toBe(403);
  });

  test('distinguish IPv4 addresses and IPv6 networks', () => {
    expect(toNetworkKey('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(toNetworkKey('2001:db8::1')).toBe(toNetworkKey('2001:db8:0:0:ffff::2'));
    expect(toNetworkKey('2001:db8::1')).not.toBe(toNetworkKey('2001:db8:0:1::1'));
    expect(toNetworkKey('::1')).toBe('0:0:0:0::/64');
  });
});

describe('HTTP request limits', () => {
  test('reject headers that are too long with 431', async () => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    const answer = await bystander.during(
      async () => await answerOf(raw(server, `GET /graphql?query=${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`)),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(hitsOf(server, 'maxHeaderBytes')).toBe(1);
  });

  test('reject bodies that are too long with 413, with and without Content-Length', async () => {
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

  test('reject malformed HTTP with 400', async () => {
    await using server = await DeliveryServer.start();
    expect(await answerOf(raw(server, 'nonsense\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('reject excess requests of one viewer with RATE_LIMITED and the time to retry', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxRequestsPerSecond: 5 });
    await using bystander = await Bystander.watch(server);
    const mutation = JSON.stringify({ query: 'mutation { refreshDiscovery { timestamp } }' });
    const startMs = performance.now();
    const responses = await bystander.during(
      async () => await Promise.all(Array.from({ length: 200 }, async () => await post(server, mutation))),
    );
    const seconds = (performance.now() - startMs) / 1_000;
    const rejected = responses.filter(({ status }) => status === 429);
    expect(rejected.length + server.uses.length).toBe(200);
    // The initial burst is allowed, and as many requests again for each elapsed second.
    expect(server.uses.length).toBeLessThanOrEqual(5 + 5 * seconds);
    expect(hitsOf(server, 'maxRequestsPerSecond')).toBe(rejected.length);
    expect(rejected[0]?.headers.get('retry-after')).toBe('1');
    const { errors } = (await rejected[0]?.json()) as { errors: { extensions: Record<string, unknown> }[] };
    expect(errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) as number });
  });
});

describe('WebSocket limits', () => {
  test('close WebSockets without connection_init with 4408', async () => {
    await using server = await DeliveryServer.start({}, {}, { connectionInitTimeoutMs: 20 });
    await using attacker = await Attacker.connect(server);
    expect((await attacker.closed).code).toBe(4408);
    expect(hitsOf(server, 'connectionInitTimeoutMs')).toBe(1);
  });

  test.each<[string, number, (attacker: Attacker) => void]>([
    ['sends connection_init twice', 4429, (attacker) => attacker.send({ type: 'connection_init' })],
    ['sends invalid JSON', 4400, ({ socket }) => socket.send('{')],
    ['sends a message of unknown type', 4400, (attacker) => attacker.send({ type: 'nonsense' })],
    ['sends JSON of 100,000 levels', 4400, ({ socket }) => socket.send('['.repeat(100_000))],
    ['sends invalid UTF-8', 1007, ({ socket }) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
    ['sends a message that is too long', 1009, ({ socket }) => socket.send('x'.repeat(262_145))],
    [
      'sends a fragmented message that is too long',
      1009,
      ({ socket }) => {
        for (let part = 0; part < 9; part += 1) socket.send('x'.repeat(32_768), { fin: false });
      },
    ],
    [
      'sends a message in too many fragments',
      1008,
      ({ socket }) => {
        for (let part = 0; part < 1_100; part += 1) socket.send('x', { fin: false });
      },
    ],
    [
      'uses one id for two running operations',
      4409,
      (attacker) => {
        for (const id of ['1', '1']) attacker.run(id, 'subscription { agentUpdates { cursor } }');
      },
    ],
  ])('close only the client that %s, with %i', async (_name, code, misbehave) => {
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
    'treat the id %s like any other id',
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

  test('close clients that subscribe before connection_init with 4401', async () => {
    await using server = await DeliveryServer.start();
    await using attacker = await Attacker.connect(server);
    attacker.run('1', '{ __typename }');
    expect((await attacker.closed).code).toBe(4401);
  });

  test.each<[string, (attacker: Attacker, index: number) => void]>([
    [
      '10,000 subscribe messages',
      (attacker, index) => attacker.run(`${index}`, 'subscription { agentUpdates { cursor } }'),
    ],
    ['10,000 pong messages', (attacker) => attacker.send({ type: 'pong' })],
    ['10,000 WebSocket pong frames', ({ socket }) => socket.pong()],
  ])('close a client that sends %s at once with 1013 and ignore the rest', async (_name, send) => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    const closed = await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) send(attacker, index);
      return await attacker.closed;
    });
    expect(closed).toEqual({ code: 1013, reason: 'More than 100 messages per second' });
    expect(hitsOf(server, 'maxMessagesPerSecond')).toBe(1);
    // Only the subscription of the bystander remains.
    await waitUntil(() => server.active.size <= 1, { state: () => server.active.size });
  });

  test('close a client that sends 10,000 WebSocket ping frames at once with 1006', async () => {
    await using server = await DeliveryServer.start();
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) attacker.socket.ping();
      expect((await attacker.closed).code).toBe(1006);
    });
  });

  test('reject subscriptions above the limit with LIMIT_EXCEEDED until one completes', async () => {
    await using server = await DeliveryServer.start({}, {}, { maxMessagesPerSecond: 10_000 });
    await using bystander = await Bystander.watch(server);
    await using attacker = await Attacker.enter(server);
    await bystander.during(async () => {
      for (let index = 0; index < 10_000; index += 1) {
        attacker.run(`${index}`, 'subscription { agentUpdates(mode: ON_DEMAND) { cursor } }');
      }
      await attacker.until(({ messages }) => messages.filter(({ type }) => type !== 'next').length >= 9_900);
    });
    const rejected = attacker.messages.filter(({ payload }) => codeIn(payload ?? {}) === 'LIMIT_EXCEEDED');
    expect(rejected).toHaveLength(9_900);
    expect(hitsOf(server, 'maxOperationsPerSocket') + hitsOf(server, 'maxSubscriptionsPerSocket')).toBe(9_900);
    // This includes the subscription of the bystander.
    expect(server.active.size).toBe(101);
    attacker.send({ id: '0', type: 'complete' });
    await waitUntil(() => server.active.size <= 100, { state: () => server.active.size });
    expect(await attacker.codeOf('subscription { agentUpdates(mode: ON_DEMAND) { cursor } }')).toBeUndefined();
    expect(server.active.size).toBe(101);
  });

  test('count the subscriptions of one viewer across WebSockets and SSE until they end', async () => {
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
