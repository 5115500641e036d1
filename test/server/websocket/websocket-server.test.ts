import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ANONYMOUS_VIEWER, type Authenticator, type Viewer } from '../../../src/auth/index.js';
import type { Limits } from '../../../src/config/index.js';
import { recordingLogger } from '../../mcp/support.js';
import { serverOf } from '../../support/arbitraries.js';
import { DeliveryServer } from '../../support/delivery-server.js';
import { RawGraphqlWsClient } from '../../support/raw-graphql-ws-client.js';
import { waitUntil } from '../../support/wait.js';

type ServerAccess = NonNullable<Parameters<typeof DeliveryServer.start>[1]>;

/** Mutation whose execution the server records. */
const RECORDED = 'mutation { refreshDiscovery { timestamp } }';
const SUBSCRIPTION = 'subscription { notices { code } }';

function start(limits: Partial<Limits> = {}, access: ServerAccess = {}): Promise<DeliveryServer> {
  return DeliveryServer.start({}, access, limits);
}

async function acknowledged(
  server: DeliveryServer,
  payload: Record<string, unknown> | null = null,
): Promise<RawGraphqlWsClient> {
  const client = await RawGraphqlWsClient.open(server, payload);
  await client.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
  return client;
}

/** Resolves when a ping is answered, because the pong follows everything that the server sent before. */
async function received(client: RawGraphqlWsClient): Promise<void> {
  const pongs = (): number => client.messages.filter(({ type }) => type === 'pong').length;
  const before = pongs();
  client.send({ type: 'ping' });
  await client.until(() => pongs() > before);
}

const hits = (server: DeliveryServer): string[] =>
  server.counters.read().flatMap(({ name, hits: count }) => (count > 0 ? [`${name} ${count}`] : []));

/** Returns the HTTP status with which an upgrade request is rejected, or the close code of the accepted WebSocket. */
async function endOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  socket.on('error', () => undefined);
  return await new Promise((resolve) => {
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
      resolve(statusCode);
      socket.terminate();
    });
    socket.once('close', resolve);
  });
}

describe('the upgrade at /graphql', () => {
  test.each([
    ['another path', '/other', {}, 404, 'Not found.'],
    ['a path that continues', '/graphql/more', {}, 404, 'Not found.'],
    ['another origin', '/graphql', { origin: 'https://example.org' }, 403, 'Cross-origin'],
    ['another host', '/graphql', { host: 'example.org' }, 403, 'Unknown host'],
  ])('is rejected, counted and logged for %s', async (_, path, headers, status, reason) => {
    const { logger, lines } = recordingLogger();
    await using server = await start({}, { logger });
    expect(await endOf(`${server.url.replace('http', 'ws')}${path}`, headers)).toBe(status);
    expect(server.closes?.rejectedUpgrades).toEqual([{ labels: { status: `${status}` }, count: 1 }]);
    expect(lines.filter(({ message }) => message === 'upgrade rejected')).toEqual([
      {
        level: 'debug',
        fields: { clientId: '127.0.0.1', status, reason: expect.stringContaining(reason) as string },
        message: 'upgrade rejected',
      },
    ]);
  });

  test('is accepted with a query in the URL', async () => {
    await using server = await start();
    const socket = new WebSocket(`${server.socketUrl}?a=b?c`, 'graphql-transport-ws');
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  });

  test('of an excess connection is closed with 1013, or rejected when it could not be accepted', async () => {
    const { logger, lines } = recordingLogger();
    await using server = await start({ maxConnections: 1 }, { logger });
    await using _first = await acknowledged(server);
    expect(await endOf(server.socketUrl)).toBe(1013);
    await waitUntil(() => server.closes?.webSockets.length === 1, { state: () => server.closes });
    expect(server.closes?.webSockets).toEqual([{ labels: { code: '1013', side: 'server' }, count: 1 }]);
    expect(lines.filter(({ message }) => message === 'websocket closed')).toMatchObject([
      { fields: { clientId: '127.0.0.1', code: 1013, reason: 'Too many connections. Retry later.' } },
    ]);
    expect(server.closes?.rejectedUpgrades).toEqual([]);
    expect(await endOf(server.socketUrl.replace('graphql', 'other'))).toBe(503);
    expect(await endOf(server.socketUrl.replace('graphql', 'tap'))).toBe(503);
    expect(await endOf(server.socketUrl, { origin: 'https://example.org' })).toBe(503);
    expect(server.closes?.rejectedUpgrades).toEqual([{ labels: { status: '503' }, count: 3 }]);
  });

  test('during shutdown logs the client of the WebSocket that it closes', async () => {
    const { logger, lines } = recordingLogger();
    const server = await start({}, { logger });
    await using client = await acknowledged(server);
    client.socket.pause();
    const stopped = server.stop();
    expect(await endOf(server.socketUrl)).toBe(1001);
    client.socket.resume();
    await stopped;
    await server[Symbol.asyncDispose]();
    const closed = lines.filter(({ message }) => message === 'websocket closed');
    expect(closed.map(({ fields }) => [fields['clientId'], fields['code']])).toEqual([
      ['127.0.0.1', 1001],
      ['127.0.0.1', 1001],
    ]);
  });

  test.each([
    [512, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover'],
    [null, ''],
  ])(
    'negotiates no window between messages when updates are compressed from %j bytes',
    async (compressFromBytes, expected) => {
      await using server = await DeliveryServer.start({ compressFromBytes });
      const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { perMessageDeflate: true });
      const [response]: unknown[] = await once(socket, 'upgrade');
      expect(response).toMatchObject({ headers: expect.any(Object) as object });
      const headers = (response as { readonly headers: Record<string, string> }).headers; // argument of the event
      expect(headers['sec-websocket-extensions'] ?? '').toBe(expected);
      const closed = once(socket, 'close');
      socket.terminate();
      await closed;
    },
  );
});

describe('limits of a WebSocket', () => {
  test('closes with 1009 when a message is longer than maxMessageBytes', async () => {
    await using server = await start({ maxMessageBytes: 1_024 });
    await using client = await acknowledged(server);
    const ping = (length: number): string => `{"type":"ping"${' '.repeat(length - 15)}}`;
    client.socket.send(ping(1_024));
    await client.until(({ messages }) => messages.length === 2);
    client.socket.send(ping(1_025));
    expect((await client.closed).code).toBe(1009);
    expect(hits(server)).toEqual(['maxMessageBytes 1']);
  });

  test('closes with 1008 when a message has more fragments than maxMessageFragments', async () => {
    await using server = await start({ maxMessageFragments: 2 });
    await using client = await acknowledged(server);
    const send = (...parts: string[]): void => {
      for (const [index, part] of parts.entries()) client.socket.send(part, { fin: index === parts.length - 1 });
    };
    send('{"type":', '"ping"}');
    await client.until(({ messages }) => messages.length === 2);
    send('{"type":', '"ping"', '}');
    expect((await client.closed).code).toBe(1008);
    expect(hits(server)).toEqual(['maxMessageFragments 1']);
  });

  test('closes with 1013 when messages exceed maxMessagesPerSecond', async () => {
    await using server = await start({ maxMessagesPerSecond: 1 });
    await using client = await RawGraphqlWsClient.open(server, null);
    for (let sent = 0; sent < 20; sent += 1) client.send({ type: 'pong' });
    expect(await client.closed).toEqual({ code: 1013, reason: 'More than 1 messages per second' });
    expect(hits(server)).toEqual(['maxMessagesPerSecond 1']);
  });

  test('closes with 4408 and counts it when connection_init does not arrive in time', async () => {
    await using server = await start({ connectionInitTimeoutMs: 1 });
    expect(await endOf(server.socketUrl)).toBe(4408);
    expect(hits(server)).toEqual(['connectionInitTimeoutMs 1']);
  });

  test('closes with 1013 above maxConnectionsPerViewer, until another WebSocket is closed', async () => {
    await using server = await start({ maxConnectionsPerViewer: 1 });
    const first = await acknowledged(server);
    await using second = await RawGraphqlWsClient.open(server, null);
    expect(await second.closed).toEqual({ code: 1013, reason: 'More than 1 connections per viewer' });
    expect(second.messages).toEqual([]);
    await first[Symbol.asyncDispose]();
    await waitUntil(() => server.closes?.webSockets.length === 2, { state: () => server.closes });
    await using _third = await acknowledged(server);
  });

  test('rejects operations above maxOperationsPerSocket until one has completed', async () => {
    await using server = await start({ maxOperationsPerSocket: 2 });
    await using client = await acknowledged(server);
    for (const id of ['a', 'b', 'c']) client.run(id, SUBSCRIPTION);
    await client.until(({ messages }) => messages.length === 2);
    expect(client.messages[1]).toMatchObject({
      id: 'c',
      type: 'error',
      payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
    });
    client.send({ id: 'a', type: 'complete' });
    client.run('d', '{ __typename }');
    await client.until(({ messages }) => messages.length === 4);
    expect(client.of('d')[0]).toEqual({ data: { __typename: 'Query' } });
  });

  test('releases the subscriptions of a client that leaves', async () => {
    await using server = await start({ maxSubscriptionsPerViewer: 1 });
    const first = await acknowledged(server);
    first.run('1', SUBSCRIPTION);
    await waitUntil(() => server.active.size === 1, { state: () => server.active.size });
    await first[Symbol.asyncDispose]();
    await waitUntil(() => server.active.size === 0, { state: () => server.active.size });
    await using second = await acknowledged(server);
    second.run('1', SUBSCRIPTION);
    await received(second);
    expect(second.of('1')).toEqual([]);
  });

  test('closes with 4500 and logs the error when the rate of operations cannot be counted', async () => {
    const { logger, lines } = recordingLogger();
    const access: ServerAccess = {
      logger,
      createRateLimiter: () => ({ consume: () => Promise.reject(new Error('no connection')) }),
    };
    await using server = await start({}, access);
    await using client = await acknowledged(server);
    client.run('1', '{ __typename }');
    expect(await client.closed).toEqual({ code: 4500, reason: 'Internal server error' });
    expect(lines.filter(({ message }) => message === 'message handling failed')).toMatchObject([
      { level: 'error', fields: { clientId: '127.0.0.1', error: 'no connection' } },
    ]);
  });
});

describe('an operation over a WebSocket', () => {
  test('uses the named operation and its variables', async () => {
    await using server = await start();
    server.show(0, 1, 0);
    await using client = await acknowledged(server);
    const query = 'query A { __typename } query B($id: ID!) { agent(id: $id) { name } }';
    client.send({
      id: '1',
      type: 'subscribe',
      payload: { query, operationName: 'B', variables: { id: 'x:0' } },
    });
    await client.until(({ messages }) => messages.length === 3);
    expect(client.of('1')[0]).toEqual({ data: { agent: { name: 'agent 0 in round 0' } } });
  });

  test('is rejected when the document does not contain it', async () => {
    await using server = await start();
    await using client = await acknowledged(server);
    client.send({ id: '1', type: 'subscribe', payload: { query: 'query A { __typename }', operationName: 'C' } });
    await client.until(({ messages }) => messages.length === 2);
    expect(client.messages[1]).toMatchObject({
      type: 'error',
      payload: [{ message: 'Unknown operation "C" in "operationName".', extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  test('returns the data beside the errors, with code and path', async () => {
    await using server = await start();
    await using client = await acknowledged(server);
    client.run('1', '{ agent(id: "\\u0000") { id } __typename }');
    await client.until(({ messages }) => messages.length === 3);
    expect(client.of('1')[0]).toEqual({
      data: { agent: null, __typename: 'Query' },
      errors: [
        {
          message: expect.any(String) as string,
          locations: expect.any(Array) as unknown[],
          path: ['agent'],
          extensions: { code: 'BAD_USER_INPUT', argument: 'id' },
        },
      ],
    });
  });

  test('runs a trusted document by its id, and no other document', async () => {
    const documents = new Map([['abc', '{ __typename }']]);
    await using server = await start({}, { trustedDocuments: documents });
    await using client = await acknowledged(server);
    client.send({ id: '1', type: 'subscribe', payload: { query: '', documentId: 'abc' } });
    client.run('2', '{ servers { id } }');
    await client.until(({ messages }) => messages.length === 4);
    expect(client.of('1')[0]).toEqual({ data: { __typename: 'Query' } });
    expect(client.of('2')).toMatchObject([[{ extensions: { code: 'FORBIDDEN' } }]]);
  });

  test('limits the rate of streams by maxHz of connection_init', async () => {
    await using server = await start();
    server.show(0, 1, 0);
    await using client = await acknowledged(server, { maxHz: 5 });
    client.run('1', 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { rate { requestedHz } } }');
    await client.until(({ messages }) => messages.length === 2);
    expect(client.of('1')).toEqual([{ data: { agentUpdates: { rate: { requestedHz: 5 } } } }]);
  });

  test('changes the rate of running streams by setMaxHz', async () => {
    await using server = await start();
    server.show(0, 1, 0);
    await using client = await acknowledged(server);
    const rateOf = (type: string): string => `subscription { ${type}(mode: HIGH_FREQUENCY) { rate { requestedHz } } }`;
    client.run('shared', rateOf('agentUpdates'));
    client.run('own', `${rateOf('agentUpdates')} subscription Other { notices { code } }`);
    client.run('metrics', 'subscription { performanceMetrics(mode: HIGH_FREQUENCY) { totalAgents } }');
    await client.until(() => ['shared', 'metrics'].every((id) => client.of(id).length === 1));
    client.run('change', 'mutation { setMaxHz(maxHz: 0.5) }');
    await client.until(() => client.of('change').length > 0);
    expect(client.of('change')[0]).toEqual({ data: { setMaxHz: 0.5 } });
    expect(server.demand.requiredHz(serverOf('x'))).toBe(0.5);
    server.show(0, 2, 1);
    await client.until(() => client.of('shared').length === 2);
    expect(client.of('shared')[1]).toEqual({ data: { agentUpdates: { rate: { requestedHz: 0.5 } } } });
    client.run('back', 'mutation { setMaxHz }');
    await client.until(() => client.of('back').length > 0);
    expect(server.demand.requiredHz(serverOf('x'))).toBe(60);
    expect(server.uses.map(({ what }) => what)).toEqual(['setMaxHz', 'setMaxHz']);
  });

  test.each([0, -1])('rejects setMaxHz with %d Hz and changes nothing', async (maxHz) => {
    await using server = await start();
    server.show(0, 1, 0);
    await using client = await acknowledged(server, { maxHz: 5 });
    client.run('1', 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { rate { requestedHz } } }');
    client.run('2', `mutation { setMaxHz(maxHz: ${maxHz}) }`);
    await client.until(() => client.of('2').length > 0);
    expect(client.of('2').slice(0, 1)).toMatchObject([
      {
        errors: [{ message: `maxHz: must be a number above 0, not ${maxHz}`, extensions: { code: 'BAD_USER_INPUT' } }],
      },
    ]);
    expect(server.demand.requiredHz(serverOf('x'))).toBe(5);
  });

  test('does not run when the client completes it before its turn', async () => {
    const { logger, lines } = recordingLogger();
    await using server = await start({}, { logger });
    server.show(0, 2_000, 0);
    await using client = await acknowledged(server);
    client.run('large', '{ agents { id nativeId serverId name type status capabilities } }');
    client.run('m', RECORDED);
    client.send({ id: 'm', type: 'complete' });
    await client.until(({ messages }) => messages.some(({ id, type }) => id === 'large' && type === 'complete'));
    await received(client);
    expect(client.of('m')).toEqual([]);
    expect(server.uses).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('does not run when it arrives after a message that closes the WebSocket', async () => {
    await using server = await start();
    await using client = await acknowledged(server);
    client.socket.send('{"type":"start"}');
    client.run('1', RECORDED);
    client.socket.send('no JSON either');
    expect(await client.closed).toEqual({ code: 4400, reason: 'Unknown message type "start"' });
    await waitUntil(() => server.closes?.webSockets.length === 1, { state: () => server.closes });
    expect(server.uses).toEqual([]);
  });
});

describe('the viewer of a WebSocket', () => {
  const ADA: Viewer = { ...ANONYMOUS_VIEWER, subject: 'ada' };

  function authenticatorOf(watched: Set<object>): Authenticator {
    return {
      isRequired: true,
      authenticate: () => Promise.resolve(ADA),
      watch: (viewer) => {
        watched.add(viewer);
        return { [Symbol.dispose]: () => void watched.delete(viewer) };
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  test('is logged when the WebSocket is closed, and is watched until then', async () => {
    const watched = new Set<object>();
    const { logger, lines } = recordingLogger();
    await using server = await start({}, { logger, authenticator: authenticatorOf(watched) });
    const client = await acknowledged(server);
    expect(watched.size).toBe(1);
    client.socket.close(4321, 'bye');
    await client.closed;
    await waitUntil(() => watched.size === 0, { state: () => watched });
    const waiting = new WebSocket(server.socketUrl, 'graphql-transport-ws');
    await once(waiting, 'open');
    waiting.close(1000);
    await waitUntil(() => server.closes?.webSockets.length === 2, { state: () => server.closes });
    expect(
      lines.filter(({ message }) => message === 'websocket closed').map(({ fields }) => fields['clientId']),
    ).toEqual(['ada', '127.0.0.1']);
  });
});
