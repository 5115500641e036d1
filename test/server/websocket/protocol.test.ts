import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DeliveryServer } from '../../support/delivery-server.js';
import { waitUntil } from '../../support/wait.js';
import { RawGraphqlWsClient } from '../../support/raw-graphql-ws-client.js';

async function acknowledged(server: DeliveryServer): Promise<RawGraphqlWsClient> {
  const client = await RawGraphqlWsClient.open(server, null);
  await client.until(({ messages }) => messages.some(({ type }) => type === 'connection_ack'));
  return client;
}

const subscribe = (id: unknown, query: unknown = '{ __typename }', rest: object = {}): object => ({
  id,
  type: 'subscribe',
  payload: { query, ...rest },
});

describe('graphql-transport-ws', () => {
  test.each<[string, string | Buffer, string]>([
    ['a message of the server', '{"id":"1","type":"next","payload":{"data":{}}}', 'Clients must not send'],
    ['no JSON', 'ping', 'Message is not valid JSON'],
    ['a binary frame', Buffer.from('{"type":"ping"}'), 'Binary messages are not supported; send JSON as text'],
    ['subscribe with an empty id', JSON.stringify(subscribe('')), '"subscribe" message requires a non-empty \'id\''],
  ])('closes with 4400 and the reason when a client sends %s', async (_, message, reason) => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    client.socket.send(message);
    const closed = await client.closed;
    expect(closed.code).toBe(4400);
    expect(closed.reason).toContain(reason);
    await waitUntil(() => server.closes?.webSockets.length === 1, { state: () => server.closes?.webSockets });
    expect(server.closes?.webSockets).toEqual([{ labels: { code: '4400', side: 'server' }, count: 1 }]);
  });

  test('names a long type in a close reason that fits into a close frame', async () => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    client.send({ type: 'ü'.repeat(1_000) });
    expect(await client.closed).toMatchObject({
      code: 4400,
      reason: expect.stringContaining('Unknown message type "üü') as string,
    });
  });

  test('closes with 4429 when connection_init arrives twice, before or after the acknowledgment', async () => {
    await using server = await DeliveryServer.start();
    await using early = await RawGraphqlWsClient.open(server, null);
    early.send({ type: 'connection_init' });
    await using late = await acknowledged(server);
    late.send({ type: 'connection_init' });
    for (const client of [early, late]) {
      expect(await client.closed).toEqual({ code: 4429, reason: 'Too many initialisation requests' });
    }
  });

  test('closes with 4401 when an operation arrives before the acknowledgment', async () => {
    await using server = await DeliveryServer.start();
    const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws');
    const closed = once(socket, 'close');
    await once(socket, 'open');
    socket.send(JSON.stringify(subscribe('1')));
    const [code, reason] = (await closed) as [number, Buffer]; // arguments of the event
    expect([code, reason.toString()]).toEqual([4401, 'Unauthorized']);
  });

  test('answers pings and ignores the completion of unknown operations at any time', async () => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    for (const id of ['unknown', '__proto__', 'constructor']) client.send({ id, type: 'complete' });
    client.send({ type: 'pong' });
    client.send({ type: 'ping' });
    client.send({ type: 'ping', payload: { at: 1, text: '\ud800\u2028' } });
    await client.until(({ messages }) => messages.length === 3);
    expect(client.messages.slice(1)).toEqual([
      { type: 'pong' },
      { type: 'pong', payload: { at: 1, text: '\ud800\u2028' } },
    ]);
  });

  test.each([
    ['of a property of objects', '__proto__'],
    ['of another one', 'constructor'],
    ['with odd characters', '\ud800 \u2028 "quoted" \u0000'],
    ['of 100,000 characters', 'x'.repeat(100_000)],
  ])('runs operations with an id %s', async (_, id) => {
    await using server = await DeliveryServer.start();
    server.show(0, 1, 0);
    await using client = await acknowledged(server);
    client.send(subscribe(id));
    await client.until(({ messages }) => messages.length === 3);
    expect(client.messages.slice(1)).toEqual([
      { id, type: 'next', payload: { data: { __typename: 'Query' } } },
      { id, type: 'complete' },
    ]);
    client.send(subscribe(id, 'subscription { agentUpdates { kind } }'));
    await client.until(({ messages }) => messages.length === 4);
    expect(client.messages[3]).toEqual({
      id,
      type: 'next',
      payload: { data: { agentUpdates: { kind: 'SNAPSHOT' } } },
    });
    client.send(subscribe(id));
    const { code, reason } = await client.closed;
    expect(code).toBe(4409);
    expect(reason.startsWith('Subscriber for ')).toBe(true);
  });

  test('ignores properties of a message and of a payload that the protocol does not define', async () => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    const extensions = { unknown: true };
    client.send({
      ...subscribe('1', '{ __typename }', { unknown: 1, variables: null, operationName: null, extensions }),
      more: 1,
    });
    await client.until(({ messages }) => messages.length === 3);
    expect(client.of('1')[0]).toEqual({ data: { __typename: 'Query' } });
  });

  test('closes with 4406 when no supported subprotocol is offered', async () => {
    await using server = await DeliveryServer.start();
    const socket = new WebSocket(server.socketUrl);
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]; // arguments of the event
    expect([code, reason.toString()]).toEqual([4406, 'Subprotocol not acceptable']);
  });

  test('picks its subprotocol from several offered ones', async () => {
    await using server = await DeliveryServer.start();
    const socket = new WebSocket(server.socketUrl, ['graphql-ws', 'graphql-transport-ws']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('graphql-transport-ws');
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  });
});

describe('the root field of a subscription', () => {
  const root = 'agentUpdates { kind }';

  test.each([
    ['@include', `subscription { agentUpdates @include(if: true) { kind } }`],
    ['@skip', `subscription { agentUpdates @skip(if: false) { kind } }`],
    ['@skip by a variable', `subscription ($skip: Boolean!) { agentUpdates @skip(if: $skip) { kind } }`],
    ['@include on an inline fragment', `subscription { ... @include(if: true) { ${root} } }`],
    ['@include on a fragment', `subscription { ...A @include(if: true) } fragment A on Subscription { ${root} }`],
    [
      '@skip in a fragment',
      `subscription { ...A } fragment A on Subscription { agentUpdates @skip(if: false) { kind } }`,
    ],
    ['all roots skipped', `subscription { agentUpdates @skip(if: true) { kind } }`],
    ['two roots of which one is skipped', `subscription { ${root} notices @skip(if: true) { code } }`],
  ])('is rejected with a code when it has %s', async (_, query) => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    client.run('1', query, { skip: true });
    await client.until(({ messages }) => messages.length === 2);
    const { type, payload } = client.messages[1] ?? {};
    expect(type).toBe('error');
    const errors = payload as { readonly message: string; readonly extensions: object }[]; // payload of `error`
    expect(errors.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('is not allowed on the root field'),
    );
    for (const { extensions } of errors) expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('is rejected with the same error over server-sent events', async () => {
    await using server = await DeliveryServer.start();
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { agentUpdates @skip(if: true) { kind } }' }),
    });
    expect(await response.text()).toContain('is not allowed on the root field');
  });

  test.each([
    ['several root fields', `subscription { ${root} notices { code } }`],
    ['an introspection field', `subscription { __typename }`],
  ])('is rejected with a code when there is %s', async (_, query) => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    client.run('1', query);
    await client.until(({ messages }) => messages.length === 2);
    expect(client.messages[1]).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('may contain conditional fields, in any number of fragments', async () => {
    await using server = await DeliveryServer.start();
    await using client = await acknowledged(server);
    client.run(
      '1',
      `subscription { ...A ...A } fragment A on Subscription { agentUpdates { kind @include(if: true) cursor @skip(if: true) } }`,
    );
    await client.until(({ messages }) => messages.length === 2);
    expect(client.of('1')).toEqual([{ data: { agentUpdates: { kind: 'SNAPSHOT' } } }]);
  });
});

describe('errors over a WebSocket', () => {
  test.each([
    ['a syntax error', '{', {}],
    ['an unknown field', '{ nonsense }', {}],
    ['no operation', 'fragment A on Query { __typename }', {}],
    ['several operations', 'query A { __typename } query B { __typename }', {}],
    ['a missing variable', 'query ($id: ID!) { agent(id: $id) { id } }', {}],
    ['a variable of another type', 'query ($ids: [ID!]) { agents(swarmIds: $ids) { id } }', { ids: { a: 1 } }],
    ['a missing variable of a subscription', 'subscription ($after: ID!) { agentUpdates(after: $after) { kind } }', {}],
    ['an invalid argument', '{ agent(id: "\\u0000") { id } }', {}],
    ['an unknown server', 'mutation { callTool(serverId: "none", tool: "t") { isError } }', {}],
    ['an invalid cursor', 'subscription { agentUpdates(after: "!") { kind } }', {}],
    ['a failing resolver', '{ discovery { candidates { place } } }', {}],
  ])('have a code and no hints for HTTP for %s', async (_, query, variables) => {
    await using server = await DeliveryServer.start();
    server.failure = new Error('broken');
    await using client = await acknowledged(server);
    client.run('1', query, variables);
    await client.until(({ messages }) => messages.length >= 2);
    const { payload } = client.messages[1] ?? {};
    const errors = (Array.isArray(payload) ? payload : (payload as { errors?: unknown }).errors) as readonly object[]; // `error` or `next`
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) {
      expect(error).toMatchObject({ extensions: { code: expect.any(String) as string } });
      expect(error).not.toHaveProperty('extensions.http');
    }
  });
});
