import { gzipSync, brotliCompressSync, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeliveryServer } from '../support/delivery-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { sendRaw } from '../support/raw-http.js';
import { readServerSentEvents } from '../support/server-sent-events.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';
const STREAM_TYPE = 'text/event-stream; charset=utf-8';

let server: DeliveryServer;

beforeAll(async () => {
  server = await DeliveryServer.start();
  server.show(0, 2, 0);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
}

async function post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const text = typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body);
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof text === 'string' ? text : new Uint8Array(text),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text: await response.text(), headers: response.headers };
}

/** Returns the codes of all errors in a body; fails for an error without a code or without a message. */
function codesIn(text: string): readonly string[] {
  const { errors = [] } = JSON.parse(text) as { errors?: { message: string; extensions?: { code?: string } }[] }; // GraphQL response
  return errors.map(({ message, extensions }) => {
    expect(message).not.toBe('');
    expect(Object.keys(extensions ?? {})).not.toContain('http');
    return extensions?.code ?? 'missing';
  });
}

test('setMaxHz is rejected over HTTP, where each stream has a request of its own', async () => {
  const { text } = await post({ query: 'mutation { setMaxHz(maxHz: 5) }' });
  expect(JSON.parse(text)).toMatchObject({
    errors: [{ message: expect.stringContaining('Use a WebSocket') as string, extensions: { code: 'BAD_USER_INPUT' } }],
  });
});

describe('the request body', () => {
  test('may contain properties that the server does not know', async () => {
    const body = { query: '{ __typename }', x: 1, id: 'a', operationType: 'query', batch: [{}], documentId: null };
    expect(await post(body)).toMatchObject({ status: 200, text: '{"data":{"__typename":"Query"}}' });
  });

  test.each([
    [{ query: '{ __typename }', variables: null, operationName: null, extensions: null }],
    [{ query: '{ __typename }', variables: {}, operationName: '', extensions: {} }],
  ])('may contain empty optional parameters: %j', async (body) => {
    expect(await post(body)).toMatchObject({ status: 200 });
  });

  test.each([
    [{}, '"query"'],
    [{ query: null }, '"query"'],
    [{ query: 7 }, '"query"'],
    [{ query: ['{ __typename }'] }, '"query"'],
    [{ qeury: '{ __typename }' }, '"query"'],
    [{ query: '{ __typename }', variables: [7] }, '"variables"'],
    [{ query: '{ __typename }', variables: '{}' }, '"variables"'],
    [{ query: '{ __typename }', operationName: {} }, '"operationName"'],
    [{ query: '{ __typename }', operationName: 0 }, '"operationName"'],
    [{ query: '{ __typename }', extensions: false }, '"extensions"'],
    ['7', 'object'],
    ['null', 'object'],
    ['"{ __typename }"', 'object'],
  ])('is rejected with 422 and the name of the parameter when it is %j', async (body, name) => {
    const { status, text } = await post(body);
    expect([status, codesIn(text)]).toEqual([422, ['BAD_USER_INPUT']]);
    expect((JSON.parse(text) as { errors: [{ message: string }] }).errors[0].message).toContain(name); // GraphQL response
  });

  test.each(['', '{', 'NONSENSE', '{"query":', '{"query":"{ __typename }"}x'])(
    'is rejected with 400 when it is "%s"',
    async (body) => {
      const { status, text } = await post(body);
      expect([status, codesIn(text)]).toEqual([400, ['BAD_USER_INPUT']]);
    },
  );

  test('is rejected with 400 when it is not UTF-8, and accepted with a byte order mark', async () => {
    const latin = Buffer.from('{"query":"{ __typename }","operationName":"\xe9"}', 'latin1');
    expect((await post(latin)).status).toBe(400);
    expect((await post('\uFEFF{"query":"{ __typename }"}')).status).toBe(200);
  });

  test.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=UTF-8',
    'application/json ; charset="utf-8"',
  ])('is accepted as "%s"', async (type) => {
    expect(await post({ query: '{ __typename }' }, { 'content-type': type })).toMatchObject({ status: 200 });
  });

  test.each([
    'application/json; charset=utf-16',
    'application/graphql',
    'application/json-patch+json',
    'text/json',
    '',
  ])('is rejected with 415 as "%s"', async (type) => {
    const { status, text } = await post({ query: '{ __typename }' }, { 'content-type': type });
    expect([status, codesIn(text)]).toEqual([415, ['BAD_USER_INPUT']]);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', (bytes: Buffer) => bytes],
    ['identity, gzip', gzipSync],
    ['x', (bytes: Buffer) => bytes],
  ] as const)('is rejected with 415 when it is compressed with %s', async (encoding, compress) => {
    const body = compress(Buffer.from(JSON.stringify({ query: '{ __typename }' })));
    const { status, text, headers } = await post(body, { 'content-encoding': encoding });
    expect([status, codesIn(text)]).toEqual([415, ['BAD_USER_INPUT']]);
    expect(headers.get('accept-encoding')).toBe('identity');
    expect(text).toContain('content-encoding');
  });

  test('is accepted with the encoding identity', async () => {
    expect(await post({ query: '{ __typename }' }, { 'content-encoding': 'identity' })).toMatchObject({ status: 200 });
  });

  test('is rejected with 400 as a batch and with 413 when it is too large', async () => {
    const batch = await post([{ query: '{ __typename }' }]);
    expect([batch.status, codesIn(batch.text)]).toEqual([400, ['LIMIT_EXCEEDED']]);
    const large = await post({ query: '{ __typename }', x: 'x'.repeat(300_000) });
    expect([large.status, codesIn(large.text)]).toEqual([413, ['LIMIT_EXCEEDED']]);
  });
});

describe('the media type of a result', () => {
  test.each([
    ['application/json', JSON_TYPE],
    ['application/graphql-response+json', RESPONSE_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['', JSON_TYPE],
    ['application/graphql-response+json, application/json;q=0.9', RESPONSE_TYPE],
    ['application/json, application/graphql-response+json;q=0.9', JSON_TYPE],
    ['application/graphql-response+json;q=0.1, application/json;q=0.2', JSON_TYPE],
    ['application/json;q=0.5, application/graphql-response+json', RESPONSE_TYPE],
    ['application/json;q=0, */*', RESPONSE_TYPE],
    ['APPLICATION/JSON; charset="UTF-8"', JSON_TYPE],
    ['application/graphql-response+json; charset=utf-8; q=0.4, application/json;q=0.3', RESPONSE_TYPE],
    ['multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9', RESPONSE_TYPE],
    ['text/html, application/json;q=0.1', JSON_TYPE],
    ['application/json;q=0.1, text/event-stream', STREAM_TYPE],
    ['text/event-stream;q=0.1, application/json', JSON_TYPE],
    [`${'x/y, '.repeat(3_000)}application/json`.slice(-15_000), null],
  ])('for "%s" is %s', async (accept, type) => {
    const { status, type: received, text } = await post({ query: '{ __typename }' }, { accept });
    if (type === null) expect([status, codesIn(text)]).toEqual([406, ['BAD_USER_INPUT']]);
    else expect([status, received]).toEqual([200, type]);
  });

  test.each([
    'text/html',
    'image/png',
    'multipart/mixed',
    'application/json;q=0',
    '*/*;q=0',
    'application/json;charset=utf-16',
    'x',
  ])('is refused with 406 for "%s"', async (accept) => {
    const { status, type, text } = await post({ query: '{ __typename }' }, { accept });
    expect([status, type, codesIn(text)]).toEqual([406, RESPONSE_TYPE, ['BAD_USER_INPUT']]);
  });
});

const STATUSES: readonly (readonly [string, object, number, string])[] = [
  ['a document that cannot be parsed', { query: '{' }, 400, 'BAD_USER_INPUT'],
  ['an empty document', { query: '' }, 400, 'BAD_USER_INPUT'],
  ['an invalid document', { query: '{ nonsense }' }, 422, 'BAD_USER_INPUT'],
  [
    'several operations without a name',
    { query: 'query A { __typename } query B { __typename }' },
    422,
    'BAD_USER_INPUT',
  ],
  ['an unknown operation', { query: 'query A { __typename }', operationName: 'B' }, 422, 'BAD_USER_INPUT'],
  ['a missing variable', { query: 'query ($id: ID!) { agent(id: $id) { id } }' }, 422, 'BAD_USER_INPUT'],
  [
    'a variable of the wrong type',
    { query: 'query ($x: [McpServerType!]) { agents(serverTypes: $x) { id } }', variables: { x: 'FAST' } },
    422,
    'BAD_USER_INPUT',
  ],
  ['a document above a limit', { query: `{ ${'a: __typename '.repeat(600)} }` }, 422, 'LIMIT_EXCEEDED'],
];

describe('the status', () => {
  test.each(STATUSES)('of %s is the same for all JSON types', async (_name, body, status, code) => {
    for (const [accept, type] of [
      ['application/graphql-response+json', RESPONSE_TYPE],
      ['application/json', RESPONSE_TYPE],
      ['application/json, application/graphql-response+json;q=0.5', JSON_TYPE],
    ] as const) {
      const answer = await post(body, { accept });
      expect([answer.status, answer.type, codesIn(answer.text)]).toEqual([status, type, [code]]);
      expect(answer.text).not.toContain('"data"');
    }
  });

  test.each(STATUSES)('of %s is 200 over SSE with the error as an event', async (_name, body, _status, code) => {
    const { status, type, text } = await post(body, { accept: 'text/event-stream' });
    expect([status, type]).toEqual([200, STREAM_TYPE]);
    const [, data = '', end] = /^event: next\ndata: (.*)\n\nevent: complete\ndata:(\n\n)$/.exec(text) ?? [];
    expect([codesIn(data), end]).toEqual([[code], '\n\n']);
  });

  test('of a result with data and errors is 294 as application/graphql-response+json and 200 as application/json', async () => {
    server.failure = new Error('a secret');
    try {
      const body = { query: '{ __typename discovery { candidates { place } } }' };
      const answer = await post(body, { accept: 'application/graphql-response+json' });
      expect([answer.status, codesIn(answer.text)]).toEqual([294, ['INTERNAL_SERVER_ERROR']]);
      expect((await post(body, { accept: 'application/json' })).status).toBe(200);
    } finally {
      server.failure = null;
    }
  });

  test('of a variable that is null in an argument that cannot be is not a server error', async () => {
    const body = { query: 'query ($x: Boolean = true) { agents { id @include(if: $x) } }', variables: { x: null } };
    expect(codesIn((await post(body)).text)).toContain('BAD_USER_INPUT');
    expect(codesIn((await post(body)).text)).not.toContain('INTERNAL_SERVER_ERROR');
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])('of the method %s is 405 with Allow', async (method) => {
    const answer = await sendRaw(server.url, `${method} /graphql?query={__typename}`);
    expect([answer.status, answer.headers.get('allow'), codesIn(answer.body)]).toEqual([
      405,
      'GET, POST',
      ['BAD_USER_INPUT'],
    ]);
  });

  test('of the method HEAD is 405 for an operation and 200 for the page', async () => {
    const operation = await sendRaw(server.url, 'HEAD /graphql?query={__typename}', { accept: 'application/json' });
    expect([operation.status, operation.body]).toEqual([405, '']);
    const page = await sendRaw(server.url, 'HEAD /graphql', { accept: 'text/html' });
    expect([page.status, page.body, page.headers.get('x-frame-options')]).toEqual([200, '', 'DENY']);
  });

  test('of a mutation over GET is 405 with Allow', async () => {
    for (const operation of [
      'mutation { requestAgentUpdate { serverIds } }',
      'query A { __typename } mutation B { requestAgentUpdate { serverIds } }',
    ]) {
      const query = new URLSearchParams({ query: operation, operationName: operation.startsWith('query') ? 'B' : '' });
      const before = server.uses.length;
      const response = await fetch(`${server.url}/graphql?${query.toString()}`);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
      expect(codesIn(await response.text())).toEqual(['BAD_USER_INPUT']);
      expect(server.uses).toHaveLength(before);
    }
  });

  test('of an unknown path is 404 with a code when the client prefers JSON', async () => {
    const json = await sendRaw(server.url, 'GET /graphql/', { accept: 'application/json' });
    expect([json.status, codesIn(json.body)]).toEqual([404, ['BAD_USER_INPUT']]);
    const text = await sendRaw(server.url, 'GET /graphql/', { accept: 'text/html, */*;q=0.1' });
    expect([text.status, text.body]).toEqual([404, 'Not found.\n']);
  });

  test('of bytes that are no request contains a code', async () => {
    for (const line of ['GET', 'nonsense /', `GET /${'x'.repeat(20_000)}`]) {
      const { status, body } = await sendRaw(server.url, line);
      expect([400, 431]).toContain(status);
      expect(codesIn(body)).toEqual([status === 400 ? 'BAD_USER_INPUT' : 'LIMIT_EXCEEDED']);
    }
  });
});

describe('GET', () => {
  test.each([
    ['query={__typename}&operationName=&variables=&extensions=', 200],
    ['query={__typename}&variables={}&extensions={"a":1}&unknown=x', 200],
    ['query=query null {__typename}&operationName=null', 200],
    ['query={__typename}&variables=null', 200],
    ['query={__typename}&variables={', 400],
    ['query={__typename}&variables=[]', 422],
    ['query={__typename}&variables=7', 422],
    ['query={__typename}&extensions="x"', 422],
    ['query={nonsense}', 422],
    ['query={', 400],
    ['query=', 422],
    ['', 422],
  ])('answers "%s" with %i', async (search, status) => {
    const response = await fetch(`${server.url}/graphql?${new URLSearchParams(search).toString()}`);
    const text = await response.text();
    expect(response.status).toBe(status);
    if (status !== 200) expect(codesIn(text)).toEqual(['BAD_USER_INPUT']);
  });
});

const SUBSCRIPTION = 'subscription { agentUpdates { kind } }';

describe('subscriptions over HTTP', () => {
  test.each([
    'multipart/mixed',
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9',
    'multipart/mixed;boundary="graphql";subscriptionSpec="1.0", application/json',
    'application/json',
    'application/graphql-response+json',
    'application/json, text/event-stream;q=0',
  ])('are rejected with 406 and never start when Accept is "%s"', async (accept) => {
    for (const send of [
      () => post({ query: SUBSCRIPTION }, { accept }),
      () => sendRaw(server.url, `GET /graphql?query=${encodeURIComponent(SUBSCRIPTION)}`, { accept }),
    ]) {
      const answer = await send();
      expect(answer.status).toBe(406);
      expect(codesIn('text' in answer ? answer.text : answer.body)).toEqual(['BAD_USER_INPUT']);
      expect(server.active.size).toBe(0);
    }
  });

  test.each([
    'text/event-stream',
    '*/*',
    'text/event-stream;charset="utf-8"',
    'application/json, text/event-stream;q=0.1',
  ])('stream when Accept is "%s"', async (accept) => {
    const left = new AbortController();
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(SUBSCRIPTION)}`, {
      headers: { accept },
      signal: left.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    for await (const event of readServerSentEvents(response)) {
      expect(event).toEqual({ data: { agentUpdates: { kind: 'SNAPSHOT' } } });
      break;
    }
    left.abort();
  });

  test.each([
    'subscription { agentUpdates @skip(if: true) { kind } }',
    'subscription { agentUpdates @include(if: false) { kind } }',
    'subscription { agentUpdates @include(if: true) { kind } }',
    'subscription ($x: Boolean = true) { agentUpdates @skip(if: $x) { kind } }',
    'subscription { ... @skip(if: true) { agentUpdates { kind } } }',
    'subscription { ...F @include(if: false) } fragment F on Subscription { agentUpdates { kind } }',
    'subscription { ...F } fragment F on Subscription { agentUpdates @skip(if: true) { kind } }',
    'subscription { notices @skip(if: true) { code } }',
  ])('are invalid with a condition on the root, over HTTP, SSE and WebSocket: %s', async (query) => {
    const json = await post({ query }, { accept: 'application/json, text/event-stream;q=0.5' });
    expect([json.status, codesIn(json.text)]).toEqual([422, ['BAD_USER_INPUT']]);
    const stream = await post({ query }, { accept: 'text/event-stream' });
    expect(stream.text).toContain('BAD_USER_INPUT');
    await using socket = await RawGraphqlWsClient.open(server, null);
    await socket.until(({ messages }) => messages.length > 0);
    socket.run('1', query);
    await socket.until(() => socket.of('1').length > 0);
    expect(codesIn(JSON.stringify({ errors: socket.of('1')[0] }))).toEqual(['BAD_USER_INPUT']);
  });

  test('may have conditions below the root', async () => {
    const query = 'subscription ($x: Boolean!) { agentUpdates { kind @include(if: $x) cursor @skip(if: $x) } }';
    await using socket = await RawGraphqlWsClient.open(server, null);
    await socket.until(({ messages }) => messages.length > 0);
    socket.run('1', query, { x: true });
    await socket.until(() => socket.of('1').length > 0);
    expect(socket.of('1')[0]).toEqual({ data: { agentUpdates: { kind: 'SNAPSHOT' } } });
  });
});
