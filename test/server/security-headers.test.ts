import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { recordingLogger } from '../mcp/support.js';
import { DeliveryServer } from '../support/delivery-server.js';
import { sendRaw } from '../support/raw-http.js';
import { waitUntil } from '../support/wait.js';

const ORIGIN = 'https://swarm.example';
const QUERY = `query=${encodeURIComponent('{ agents { id } }')}`;
const DATA = '"x:0"';

let server: DeliveryServer;
let playground: string;

beforeAll(async () => {
  playground = mkdtempSync(join(tmpdir(), 'playground-'));
  mkdirSync(join(playground, 'assets'));
  writeFileSync(join(playground, 'index.html'), '<!doctype html>');
  writeFileSync(join(playground, 'assets', 'index-a1.js'), 'run()');
  server = await DeliveryServer.start(
    {},
    { origins: [ORIGIN], allowHeaders: ['x-tenant'], playgroundDirectory: playground },
  );
  server.show(0, 1, 0);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(playground, { recursive: true });
});

describe('security headers', () => {
  test.each([
    ['the playground', 'GET /', { accept: 'text/html' }],
    ['a file of the playground', 'GET /assets/index-a1.js', {}],
    ['GraphiQL', 'HEAD /graphql', { accept: 'text/html' }],
    ['a result', `GET /graphql?${QUERY}`, {}],
    ['an invalid operation', 'GET /graphql?query={', {}],
    ['an unknown path', 'GET /nowhere', {}],
    ['a health check', 'GET /healthz', {}],
    ['a request of another origin', 'GET /', { origin: 'https://evil.example' }],
    ['an unknown host', 'GET /', { host: 'evil.example' }],
    ['a preflight request', 'OPTIONS /graphql', { origin: ORIGIN }],
    ['an unknown method', 'PUT /', {}],
    ['a rejected upgrade', 'GET /nowhere', { connection: 'upgrade', upgrade: 'websocket' }],
    ['no request', 'nonsense', {}],
  ] as const)('forbid frames, sniffing and referrers for %s', async (_name, line, headers) => {
    const answer = await sendRaw(server.url, line, headers);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
    });
  });

  test('of pages name their own content and no foreign origin', async () => {
    for (const path of ['/', '/graphql']) {
      const { headers, body } = await sendRaw(server.url, `HEAD ${path}`, { accept: 'text/html' });
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src /);
      expect(policy).not.toMatch(/https?:|\*/);
      expect(body).toBe('');
    }
  });
});

const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-user': '?1',
};

describe('a link of another site', () => {
  test.each(['/', '/?mode=x', '/graphql', `/graphql?${QUERY}`, `/graphql?${QUERY}&operationName=x`])(
    'opens the page %s and runs no operation',
    async (target) => {
      for (const [site, accept] of [
        ['cross-site', NAVIGATION.accept],
        ['same-site', NAVIGATION.accept],
        ['cross-site', 'application/json'],
        ['cross-site', 'text/event-stream'],
        ['cross-site', '*/*'],
      ] as const) {
        const headers = { ...NAVIGATION, 'sec-fetch-site': site, accept };
        const answer = await sendRaw(server.url, `GET ${target}`, headers);
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
        expect(answer.body).not.toContain(DATA);
      }
    },
  );

  test.each(['/healthz', '/readyz', '/metrics', '/assets/index-a1.js', '/nowhere', '/graphql/', '//graphql'])(
    'does not open %s',
    async (target) => {
      expect((await sendRaw(server.url, `GET ${target}`, NAVIGATION)).status).toBe(403);
    },
  );

  test.each([
    ['a frame', 'GET', { 'sec-fetch-dest': 'iframe' }],
    ['an old frame', 'GET', { 'sec-fetch-dest': 'frame' }],
    ['an embedded object', 'GET', { 'sec-fetch-dest': 'embed' }],
    ['a script', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
    ['an image', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a fetch', 'GET', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', origin: 'https://evil.example' }],
    ['a fetch without CORS', 'GET', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty' }],
    ['a form', 'POST', { origin: 'https://evil.example' }],
    ['a form of an opaque origin', 'POST', { origin: 'null' }],
    ['a form without an origin', 'POST', {}],
    ['a navigation with an origin', 'GET', { origin: 'https://evil.example' }],
  ])('opens no page and runs no operation as %s', async (_name, method, headers) => {
    for (const site of ['cross-site', 'same-site']) {
      for (const target of ['/', `/graphql?${QUERY}`]) {
        const all = { ...NAVIGATION, ...headers, 'sec-fetch-site': site, 'content-type': 'application/json' };
        const body = method === 'POST' ? '{"query":"{ agents { id } }"}' : '';
        const answer = await sendRaw(server.url, `${method} ${target}`, all, body);
        expect([answer.status, answer.body.includes(DATA)]).toEqual([403, false]);
      }
    }
  });

  test('opens no page by an unknown host', async () => {
    expect((await sendRaw(server.url, 'GET /', { ...NAVIGATION, host: 'evil.example' })).status).toBe(403);
  });

  test('opens no WebSocket', async () => {
    const headers = { ...NAVIGATION, 'sec-fetch-mode': 'navigate' };
    for (const origin of [{}, { origin: 'https://evil.example' }]) {
      const socket = new WebSocket(server.socketUrl, 'graphql-transport-ws', { headers: { ...headers, ...origin } });
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toContain('403');
    }
  });

  test('returns 404 when GraphiQL is disabled', async () => {
    await using closed = await DeliveryServer.start({}, {}, { graphiql: false });
    closed.show(0, 1, 0);
    const answer = await sendRaw(closed.url, `GET /graphql?${QUERY}`, { ...NAVIGATION, accept: '*/*' });
    expect([answer.status, answer.body.includes(DATA)]).toEqual([404, false]);
  });
});

describe('CORS', () => {
  test.each([
    ['Apollo Client', 'apollographql-client-name, apollographql-client-version, apollo-require-preflight'],
    ['Apollo operations', 'x-apollo-operation-name, x-apollo-operation-id, content-type'],
    ['W3C traces', 'traceparent, tracestate, baggage'],
    ['Sentry', 'sentry-trace, baggage'],
    ['Zipkin', 'b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled'],
    ['Datadog', 'x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority'],
    ['preflight markers', 'graphql-preflight, graphql-require-preflight, x-requested-with'],
    ['server-sent events', 'last-event-id, cache-control, authorization, accept'],
    ['the configuration', 'x-tenant'],
  ])('allows the headers of %s', async (_name, names) => {
    const { status, headers } = await sendRaw(server.url, 'OPTIONS /graphql', {
      origin: ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': names,
    });
    expect(status).toBe(204);
    const allowed = headers.get('access-control-allow-headers')?.split(', ') ?? [];
    expect(names.split(', ').filter((name) => !allowed.includes(name))).toEqual([]);
    expect(allowed).not.toContain('x-unknown');
    expect(headers.get('access-control-expose-headers')).toBe('allow, retry-after, www-authenticate, x-request-id');
  });

  test('allows no header to other origins', async () => {
    const { status, headers } = await sendRaw(server.url, 'OPTIONS /graphql', { origin: 'https://evil.example' });
    expect([status, headers.get('access-control-allow-headers')]).toEqual([403, null]);
  });
});

describe('a connection without a request', () => {
  test.each([
    ['sends nothing', null, 0],
    ['sends a part of a request', 'GET / HTTP/1.1\r\nHo', 1],
  ] as const)('is closed after the timeout; a client that %s hits the limit %s %i times', async (_name, text, hits) => {
    const { logger, lines } = recordingLogger();
    await using timed = await DeliveryServer.start({}, { logger }, { headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const { port } = new URL(timed.url);
    const socket = connect(Number(port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    let isClosed = false;
    socket.on('close', () => (isClosed = true));
    if (text !== null) socket.write(text);
    await waitUntil(() => isClosed, { state: () => chunks.length });
    expect(Buffer.concat(chunks).toString()).toMatch(hits === 0 ? /^$/ : /^HTTP\/1.1 408 /);
    expect(timed.counters.read().filter((limit) => limit.hits > 0)).toEqual(
      hits === 0 ? [] : [{ name: 'requestTimeoutMs', hits }],
    );
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  test('is no limit hit when the client closes it', async () => {
    const { logger, lines } = recordingLogger();
    await using timed = await DeliveryServer.start({}, { logger });
    for (const close of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const socket = connect(Number(new URL(timed.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket[close]();
      socket.resume();
      if (!socket.closed) await once(socket, 'close');
    }
    // The answer shows that the server has handled the connections before.
    await sendRaw(timed.url, 'GET /healthz');
    expect(timed.counters.read().filter((limit) => limit.hits > 0)).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });
});
