import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessServer } from '../support/access-server.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { sendRaw } from '../support/raw-http.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const QUERY = `query=${encodeURIComponent('{ agents { id } }')}`;
const MISTAKE = `query=${encodeURIComponent('{ agnts { id } }')}`;
/** Id of an agent, which only results contain. */
const DATA = '"x:0"';

const ACCEPTS = [
  'application/json, text/html',
  'text/html, application/json',
  'text/html;q=0.1, application/json',
  'application/json;q=0.1, text/html;q=0.2',
  'application/graphql-response+json, text/html;q=0.9',
  'text/event-stream, text/html',
  'multipart/mixed, text/html',
  '*/*, text/html',
  'text/html',
  'TEXT/HTML',
  'text/*',
  'application/json;x="text/html"',
  'application/json;text/html',
  'xtext/html, application/json',
  'text/htmlx, application/json',
  '*/*',
];

const TARGETS = [
  '/graphql',
  '/graphql/',
  '/GraphQL',
  '/%67raphql',
  '/graphql%2F',
  '//graphql',
  '/./graphql',
  '/x/../graphql',
  '/graphql;x=1',
  '/graphql#',
  '/x?/graphql',
];

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

describe('requests without a token', () => {
  test.each(ACCEPTS)('run no operation and learn nothing of the schema when Accept is "%s"', async (accept) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY']) {
      for (const query of [`${QUERY}&${MISTAKE}`, `x=1?&${MISTAKE}`]) {
        const body = method === 'POST' ? JSON.stringify({ query: '{ agnts { id } agents { id } }' }) : '';
        const headers = { accept, 'content-type': 'application/json' };
        const answer = await sendRaw(access.server.url, `${method} /graphql?${query}`, headers, body);
        const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true;
        expect(answer.status).toBe(isPage ? 200 : 401);
        expect(answer.body).not.toContain(DATA);
        // The page contains the messages of its own copy of graphql.
        if (!isPage) expect(answer.body).not.toMatch(/Cannot query field|Did you mean/);
      }
    }
  });

  test.each(TARGETS)('run no operation at the target "%s"', async (target) => {
    for (const accept of ['application/json', 'application/json, text/html']) {
      for (const prefix of ['', access.server.url]) {
        const line = `GET ${prefix}${target}?${QUERY}`;
        const answer = await sendRaw(access.server.url, line, { accept });
        expect([400, 401, 404]).toContain(answer.status);
        expect(answer.body).not.toContain(DATA);
      }
    }
  });

  test.each(['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url', 'x-rewrite-url'])(
    'run no operation when the header %s overrides the method or the target',
    async (name) => {
      const value = name.endsWith('url') ? `/graphql?${QUERY}` : 'POST';
      for (const path of ['/', '/healthz', `/graphql?${QUERY}`]) {
        const answer = await sendRaw(access.server.url, `GET ${path}`, { [name]: value, accept: 'application/json' });
        expect(answer.body).not.toContain(DATA);
      }
    },
  );

  test('run no operation in the body of an upgrade request', async () => {
    for (const upgrade of ['websocket', 'h2c', 'x']) {
      const headers = {
        connection: 'upgrade',
        upgrade,
        'content-type': 'application/json',
        accept: 'application/json',
      };
      const body = JSON.stringify({ query: '{ agents { id } }' });
      const answer = await sendRaw(access.server.url, `POST /graphql?${QUERY}`, headers, body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body).not.toContain(DATA);
    }
  });
});

describe('requests with a token', () => {
  test('receive JSON when Accept names JSON before a page, and a page when it prefers one', async () => {
    const { text } = await access.token();
    const ask = async (accept: string): Promise<readonly [string, boolean]> => {
      const headers = { accept, authorization: `Bearer ${text}` };
      const { headers: received, body } = await sendRaw(access.server.url, `GET /graphql?${QUERY}`, headers);
      return [received.get('content-type') ?? '', body.includes(DATA)];
    };
    expect(await ask('application/json, text/html')).toEqual(['application/json; charset=utf-8', true]);
    expect(await ask('text/html;q=0.5, */*;q=0.6')).toEqual(['application/json; charset=utf-8', true]);
    expect(await ask('text/html, */*;q=0.8')).toEqual(['text/html; charset=utf-8', false]);
  });

  test('reach /graphql by an absolute target, whose host replaces the Host header', async () => {
    await using open = await DeliveryServer.start();
    open.show(0, 1, 0);
    const headers = { accept: 'application/json', host: 'evil.example' };
    const answer = await sendRaw(open.url, `GET ${open.url}/graphql?${QUERY}`, headers);
    expect([answer.status, answer.body.includes(DATA)]).toEqual([200, true]);
    const foreign = await sendRaw(open.url, `GET http://evil.example/graphql?${QUERY}`, { accept: 'application/json' });
    expect(foreign.status).toBe(403);
  });
});

test('GET /graphql returns 404 to browsers and runs no operation when GraphiQL is disabled', async () => {
  await using server = await DeliveryServer.start({}, {}, { graphiql: false });
  server.show(0, 1, 0);
  for (const accept of ['text/html', 'text/html,application/xhtml+xml,*/*;q=0.8']) {
    const answer = await sendRaw(server.url, `GET /graphql?${QUERY}`, { accept });
    expect([answer.status, answer.body]).toEqual([404, expect.not.stringContaining(DATA)]);
  }
  const json = await sendRaw(server.url, `GET /graphql?${QUERY}`, { accept: 'application/json, text/html' });
  expect(json.body).toContain(DATA);
});

test('trusted documents apply to requests that also accept a page', async () => {
  await using server = await DeliveryServer.start({}, { trustedDocuments: new Map() });
  const kinds = new Set<string>();
  for (const accept of ACCEPTS) {
    const answer = await sendRaw(server.url, `GET /graphql?${QUERY}`, { accept });
    const isPage = answer.headers.get('content-type')?.startsWith('text/html') === true;
    const kind = isPage
      ? 'page'
      : answer.status === 406
        ? 'not acceptable'
        : answer.body.includes('FORBIDDEN')
          ? 'forbidden'
          : accept;
    kinds.add(kind);
    expect(answer.body).not.toContain(DATA);
  }
  expect([...kinds].sort()).toEqual(['forbidden', 'not acceptable', 'page']);
});

describe('a server whose schema is hidden', () => {
  const OPERATIONS: readonly (readonly [string, object])[] = [
    ['{ agnts { id } }', {}],
    ['{ agents { idd } }', {}],
    ['{ agents }', {}],
    ['{ agents { id { x } } }', {}],
    ['{ agent { id } }', {}],
    ['{ agents(serverType: CODEX) { id } }', {}],
    ['{ agents(serverTypes: CODEXX) { id } }', {}],
    ['{ agents { ... on Agnt { id } } }', {}],
    ['{ agents { ... on Task { id } } }', {}],
    ['query ($x: McpServerTyp) { agents(serverTypes: $x) { id } }', {}],
    ['query ($x: Int) { agents(serverTypes: $x) { id } }', {}],
    ['query ($x: [McpServerType!]) { agents(serverTypes: $x) { id } }', { x: ['CODEXX'] }],
    ['query ($x: ID!) { agent(id: $x) { id } }', {}],
    ['query ($x: Boolean = true) { agents { id @include(if: $x) } }', { x: null }],
    ['{ agents @includ(if: true) { id } }', {}],
    ['{ agents { a: id a: capabilities } }', {}],
    ['subscription { agentUpdates(mode: FAST) { cursor } }', {}],
    ['subscription ($m: PerformanceMode) { agentUpdates(mode: $m) { cursor } }', { m: 'HIGH' }],
    ['mutation { callTool(tool: 1) { tool } }', {}],
  ];
  const CLIENT_WORDS =
    /Invalid|value|field|argument|variable|directive|fragment|type|operation|This server does not describe its schema|Argument/g;

  test.each(OPERATIONS)('names nothing but the text of the client in the errors of %s', async (query, variables) => {
    await using server = await DeliveryServer.start({}, {}, { introspection: false });
    server.show(0, 1, 0);
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream, application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const overHttp = messagesIn(await response.text());
    await using socket = await RawGraphqlWsClient.open(server, null);
    await socket.until(({ messages }) => messages.length > 0);
    socket.run('1', query, variables);
    await socket.until(() => socket.of('1').length > 0);
    const overSocket = messagesIn(JSON.stringify(socket.of('1')));
    for (const messages of [overHttp, overSocket]) {
      expect(messages.length).toBeGreaterThan(0);
      const sent = `${query} ${JSON.stringify(variables)}`;
      const unknown = messages.flatMap((message) => message.replace(CLIENT_WORDS, '').match(/\w+/g) ?? []);
      expect(unknown.filter((word) => !sent.includes(word))).toEqual([]);
    }
  });

  test('describes mistakes when introspection is enabled', async () => {
    await using server = await DeliveryServer.start();
    const answer = await sendRaw(server.url, `GET /graphql?${MISTAKE}`, { accept: 'application/json' });
    expect(answer.body).toContain('Did you mean');
  });
});

function messagesIn(text: string): readonly string[] {
  return [...text.matchAll(/"message":"((?:[^"\\]|\\.)*)"/g)].map(([, message = '']) => message.replaceAll('\\"', '"'));
}
