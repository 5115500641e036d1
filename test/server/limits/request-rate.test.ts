import { describe, expect, test } from 'vitest';
import { createMemoryRateLimiter, MemoryLimitCounters, OncePerSecondLimiter } from '../../../src/server/index.js';
import type { RateLimiterFactory } from '../../../src/server/index.js';
import { identifyClient, toNetworkKey } from '../../../src/server/limits/client-identity.js';
import { TAP_PATH, TAP_PROTOCOLS } from '../../../src/shared/index.js';
import { AccessServer } from '../../support/access-server.js';
import { DeliveryServer } from '../../support/delivery-server.js';
import { RawGraphqlWsClient } from '../../support/raw-graphql-ws-client.js';
import { sendRaw } from '../../support/raw-http.js';

/** Counts per hour, because a second could end during a test. */
const createHourlyRateLimiter: RateLimiterFactory = (options) =>
  createMemoryRateLimiter({ ...options, duration: 3_600 });

const QUERY = '{ __typename }';
const TARGET = `GET /graphql?query=${encodeURIComponent(QUERY)}`;

type Send = () => Promise<string>;

/** Returns one function for each transport that runs an operation and returns its whole answer. */
async function openTransports(
  server: { readonly url: string; readonly socketUrl: string },
  token: string | null,
): Promise<AsyncDisposable & { readonly senders: readonly (readonly [string, Send])[] }> {
  const authorization = token === null ? null : `Bearer ${token}`;
  const headers = authorization === null ? {} : { authorization };
  const socket = await RawGraphqlWsClient.open(server, null, authorization);
  await socket.until(({ messages }) => messages.length > 0);
  let count = 0;
  const overSocket = async (): Promise<string> => {
    count += 1;
    const id = `${count}`;
    socket.run(id, QUERY);
    await socket.until(() => socket.of(id).length > 0);
    return JSON.stringify(socket.of(id)[0]);
  };
  const overHttp =
    (accept: string, line = TARGET) =>
    async () =>
      (await sendRaw(server.url, line, { ...headers, accept })).body;
  return {
    senders: [
      ['GET', overHttp('application/json')],
      ['GET that also accepts a page', overHttp('application/json, text/html')],
      ['SSE', overHttp('text/event-stream')],
      ['WebSocket', overSocket],
    ],
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

describe('maxRequestsPerSecond', () => {
  test.each([0, 1, 2, 3])(
    'counts the operations of one client over all transports, beginning with transport %i',
    async (first) => {
      const limits = { maxRequestsPerSecond: 8 };
      await using server = await DeliveryServer.start({}, { createRateLimiter: createHourlyRateLimiter }, limits);
      await using transports = await openTransports(server, null);
      const { senders } = transports;
      const order = [...senders.slice(first), ...senders.slice(0, first)];
      for (const [name, send] of [...order, ...order])
        expect([name, await send()]).toEqual([name, expect.stringContaining('"Query"')]);
      for (const [name, send] of order)
        expect([name, await send()]).toEqual([name, expect.stringMatching(/"RATE_LIMITED".*"retryAfterMs":\d+/)]);
      const hits = server.counters.read().find((limit) => limit.name === 'maxRequestsPerSecond')?.hits;
      expect(hits).toBe(order.length);
    },
  );

  test('counts each subject by itself and not the connection', async () => {
    await using access = await AccessServer.start({
      createRateLimiter: createHourlyRateLimiter,
      limits: { maxRequestsPerSecond: 3 },
    });
    const tokens = [await access.token(), await access.token()];
    for (const { text } of tokens) {
      await using transports = await openTransports(access.server, text);
      const answers: string[] = [];
      for (const [, send] of transports.senders) answers.push(await send());
      expect(answers.map((answer) => answer.includes('"Query"'))).toEqual([true, true, true, false]);
    }
  });

  test('counts GraphiQL and failed authentications over HTTP and WebSocket for the address', async () => {
    await using access = await AccessServer.start({
      createRateLimiter: createHourlyRateLimiter,
      limits: { maxRequestsPerSecond: 3 },
    });
    const { url } = access.server;
    expect((await sendRaw(url, TARGET, { accept: 'application/json' })).status).toBe(401);
    expect((await sendRaw(url, 'HEAD /graphql', { accept: 'text/html' })).status).toBe(200);
    await using first = await RawGraphqlWsClient.open(access.server, { authorization: 'Bearer wrong' });
    expect((await first.closed).code).toBe(4403);
    await using second = await RawGraphqlWsClient.open(access.server, { authorization: 'Bearer wrong' });
    expect(await second.closed).toMatchObject({
      code: 1013,
      reason: expect.stringContaining('requests per second') as string,
    });
    const tap = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-protocol': TAP_PROTOCOLS.token };
    expect((await sendRaw(url, `GET ${TAP_PATH}`, { ...tap, authorization: 'Bearer wrong' })).status).toBe(429);
    expect((await sendRaw(url, 'GET /graphql', { accept: 'text/html' })).status).toBe(429);
    expect((await sendRaw(url, TARGET, { accept: 'application/json' })).status).toBe(429);
    // Clients with a token are not affected.
    const { text } = await access.token();
    const headers = { accept: 'application/json', authorization: `Bearer ${text}` };
    expect((await sendRaw(url, TARGET, headers)).status).toBe(200);
  });
});

describe('OncePerSecondLimiter', () => {
  const start = (): { readonly limiter: OncePerSecondLimiter; readonly counters: MemoryLimitCounters } => {
    const counters = new MemoryLimitCounters();
    const limiter = new OncePerSecondLimiter({
      createRateLimiter: createHourlyRateLimiter,
      counters,
      maxActionsPerAddress: 3,
    });
    return { limiter, counters };
  };
  const outcome = (use: Promise<void>): Promise<string> =>
    use.then(
      () => 'allowed',
      (error: unknown) => (error as { message: string }).message, // a SwarmlensError
    );

  test('separates connections of one address, and limits the address so that new connections do not evade it', async () => {
    const { limiter, counters } = start();
    const use = (connectionId: string | null, clientId = '10.0.0.1', action = 'a'): Promise<string> =>
      outcome(limiter.consume(action, { clientId, connectionId }));
    expect([await use('one'), await use('two')]).toEqual(['allowed', 'allowed']);
    expect(await use('one')).toContain('"a" is allowed once per second');
    expect(await use('three')).toBe('allowed');
    expect(await use('four')).toContain('"a" is allowed 3 times per second and address');
    expect(await use('five', '10.0.0.2')).toBe('allowed');
    expect(await use('four', '10.0.0.1', 'b')).toBe('allowed');
    const hits = counters.read().filter((limit) => limit.hits > 0);
    expect(hits).toEqual([
      { name: 'maxActionsPerAddress', hits: 1 },
      { name: 'oncePerSecond', hits: 1 },
    ]);
  });

  test('counts all connections of one subject together', async () => {
    const { limiter } = start();
    const use = (clientId: string): Promise<string> => outcome(limiter.consume('a', { clientId, connectionId: null }));
    expect(await use('token:1')).toBe('allowed');
    expect(await use('token:1')).toContain('once per second');
    for (const subject of ['token:2', 'token:3', 'token:4', 'token:5']) expect(await use(subject)).toBe('allowed');
  });
});

describe('the identity of a client', () => {
  const MUTATION = 'mutation { requestAgentUpdate { serverIds } }';

  test('without a token is a UUID of its connection, and the address for other limits', async () => {
    await using server = await DeliveryServer.start();
    await using one = await RawGraphqlWsClient.open(server, null);
    await using other = await RawGraphqlWsClient.open(server, null);
    for (const client of [one, other]) {
      await client.until(({ messages }) => messages.length > 0);
      for (const id of ['1', '2']) {
        client.run(id, MUTATION);
        await client.until(() => client.of(id).length > 0);
      }
    }
    const body = JSON.stringify({ query: MUTATION });
    await sendRaw(server.url, 'POST /graphql', { 'content-type': 'application/json' }, body);
    const ids = server.uses.map(({ connectionId }) => connectionId);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([ids[1], ids[3]]).toEqual([ids[0], ids[2]]);
    expect(new Set(ids).size).toBe(3);
    expect(new Set(server.uses.map(({ clientId }) => clientId))).toEqual(new Set(['127.0.0.1']));
  });

  test('with a token is its subject', async () => {
    await using access = await AccessServer.start();
    const { text, id } = await access.token();
    await access.post(MUTATION, `Bearer ${text}`);
    expect(access.server.uses).toMatchObject([{ clientId: expect.stringContaining(id) as string, connectionId: null }]);
  });

  test('stays the same after the connection is closed', () => {
    const socket = { remoteAddress: '10.0.0.1' as string | undefined };
    const request = { socket } as unknown as Parameters<typeof identifyClient>[0]; // only the address is read
    const identity = identifyClient(request);
    socket.remoteAddress = undefined;
    expect(identifyClient(request)).toBe(identity);
    expect(identity.network).toBe('10.0.0.1');
  });

  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:ffff::2', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', 'unknown'],
  ])('of the address "%s" is the network %s', (address, network) => {
    expect(toNetworkKey(address)).toBe(network);
  });
});
