import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AccessServer } from '../support/access-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { DeliveryServer } from '../support/delivery-server.js';

const ORIGIN = 'https://swarm.example';
const QUERY = JSON.stringify({ query: '{ agents { id } }' });

let access: AccessServer;
let authorization: string;

beforeAll(async () => {
  access = await AccessServer.start({ origins: [ORIGIN] });
  authorization = `Bearer ${(await access.token()).text}`;
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

/** Requests an upgrade. Returns the status and body of the rejection, or "101" if the WebSocket opens. */
async function upgrade(url: string, headers: Record<string, string> = {}): Promise<string> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('open', () => resolve('101'));
    socket.on('unexpected-response', (_request, response) => {
      let text = `${response.statusCode ?? ''} `;
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    socket.on('error', reject);
  });
  socket.on('error', () => undefined);
  socket.terminate();
  return answer;
}

/** Sends a request with any `Host` header, which `fetch` does not allow. */
async function withHost(url: string, host: string): Promise<string> {
  const { port } = new URL(url);
  return await new Promise<string>((resolve, reject) => {
    const socket = createConnection(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

afterEach(() => {
  access.server.failure = null;
});

describe('allowed origins', () => {
  test('pass preflight requests, queries and upgrades', async () => {
    const preflight = await fetch(access.url, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': expect.stringMatching(/^accept, authorization, .*content-type/) as unknown, // typed any
      vary: 'Origin',
    });
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
    const answer = await access.post('{ agents { id } }', authorization, { origin: ORIGIN });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, ORIGIN]);
    const rejected = await access.post('{ agents { id } }', null, { origin: ORIGIN });
    // The page must be able to read the error.
    expect([rejected.status, rejected.headers.get('access-control-allow-origin')]).toEqual([401, ORIGIN]);
    expect(await upgrade(access.server.socketUrl, { origin: ORIGIN })).toBe('101');
  });

  test.each([
    'https://evil.example',
    'https://swarm.example.evil.example',
    'http://swarm.example',
    'https://swarm.example:444',
    'null',
  ])('exclude %s over HTTP, preflight and upgrade, with or without a token', async (origin) => {
    for (const headers of [{ origin }, { origin, authorization }]) {
      const answer = await fetch(access.url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: QUERY,
      });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
      expect((await fetch(access.url, { method: 'OPTIONS', headers })).status).toBe(403);
      expect(await upgrade(access.server.socketUrl, headers)).toMatch(/^403 /);
    }
  });

  test('apply without authentication, too', async () => {
    await using open = await DeliveryServer.start({}, { origins: [ORIGIN] });
    expect(await upgrade(open.socketUrl, { origin: ORIGIN })).toBe('101');
    expect(await upgrade(open.socketUrl, { origin: 'https://evil.example' })).toMatch(/^403 /);
  });
});

describe('requests that forms can send', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('are rejected with 415 when the content type is "%s"', async (type) => {
    const query = 'mutation { requestAgentUpdate { serverIds } }';
    const body = Buffer.from(
      type.includes('urlencoded') ? new URLSearchParams({ query }).toString() : JSON.stringify({ query }),
    );
    const before = access.server.uses.length;
    const answer = await fetch(access.url, { method: 'POST', headers: { authorization, 'content-type': type }, body });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(access.server.uses).toHaveLength(before);
  });

  test('are rejected with 405 when they contain a mutation over GET', async () => {
    const query = encodeURIComponent('mutation { requestAgentUpdate { serverIds } }');
    const answer = await fetch(`${access.url}?query=${query}`, { headers: { authorization } });
    expect(answer.status).toBe(405);
  });
});

describe('tokens in URLs', () => {
  test.each(['token', 'access_token', 'Authorization', 'jwt', 'anything'])(
    'are rejected over HTTP and on upgrade in the parameter "%s"',
    async (name) => {
      const query = `?${name}=${authorization.slice(7)}`;
      const answer = await fetch(`${access.url}${query}&query={__typename}`, { headers: { authorization } });
      expect(answer.status).toBe(400);
      const text = await answer.text();
      expect(text).toContain('URLs end up in logs');
      expect(text).not.toContain(authorization.slice(7));
      expect(await upgrade(`${access.server.socketUrl}${query}`, { authorization })).toMatch(
        /^400 .*URLs end up in logs/,
      );
    },
  );

  test('are ignored without authentication', async () => {
    await using open = await DeliveryServer.start();
    const plain = await fetch(`${open.url}/graphql?token=x&query={viewer{subject}}`, {
      headers: { authorization: 'Basic x' },
    });
    expect(await plain.json()).toEqual({ data: { viewer: { subject: null } } });
  });
});

describe('requests without a token', () => {
  test('receive GraphiQL without any data in a browser', async () => {
    const page = await fetch(`${access.url}?query={agents{id}}`, { headers: { accept: 'text/html,*/*' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    const html = await page.text();
    expect(html).toContain('"subscriptionsProtocol":"SSE"');
    expect(html).not.toContain('"x:0"');
  });

  test('run no operation when the Accept header also matches a page', async () => {
    for (const accept of ['text/html', 'application/json;x="text/html"', 'text/event-stream, text/html']) {
      const post = await access.post('{ agents { id } }', null, { accept });
      expect(post.status).toBe(401);
      const get = await fetch(`${access.url}?query={agents{id}}`, { headers: { accept } });
      expect(await get.text()).not.toContain('"x:0"');
    }
  });

  test('receive 200 from /healthz and /readyz', async () => {
    expect((await fetch(`${access.server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${access.server.url}/readyz`)).status).toBe(200);
  });
});

test('the Host header is restricted to loopback only without authentication and anyHost', async () => {
  expect(await withHost(access.server.url, 'swarm.example')).toMatch(/^HTTP\/1.1 200/);
  await using open = await DeliveryServer.start({}, { anyHost: true });
  expect(await withHost(open.url, 'swarm.example')).toMatch(/^HTTP\/1.1 200/);
  await using closed = await DeliveryServer.start();
  expect(await withHost(closed.url, 'swarm.example')).toMatch(/^HTTP\/1.1 403/);
});

describe('internal errors', () => {
  const QUERY_THAT_FAILS = '{ discovery { candidates { place } } }';

  test('are masked and logged with the generated request id that the response contains', async () => {
    access.server.failure = new Error('a secret');
    const answer = await access.post(QUERY_THAT_FAILS, authorization, { 'x-request-id': 'mine' });
    const requestId = answer.headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR', requestId } }] });
    expect(text).not.toContain('a secret');
    const lines = access.log.filter(({ fields }) => fields['requestId'] === requestId);
    expect(lines).toMatchObject([
      {
        level: 'error',
        fields: {
          error: expect.stringContaining('a secret'),
          path: ['discovery', 'candidates'],
          clientId: expect.stringContaining('token:'),
        },
      },
    ]);
    expect(JSON.stringify(access.log)).not.toContain('mine');
  });

  test('have a separate request id for each operation over WebSocket', async () => {
    access.server.failure = new Error('a secret');
    await using socket = await RawGraphqlWsClient.withToken(access.server, authorization.slice(7));
    for (const id of ['1', '2']) socket.run(id, QUERY_THAT_FAILS);
    await socket.until(() => socket.of('1').length > 0 && socket.of('2').length > 0);
    const ids = ['1', '2'].map((id) => /"requestId":"([0-9a-f-]{36})"/.exec(JSON.stringify(socket.of(id)[0]))?.[1]);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) {
      const lines = access.log.filter(({ fields }) => fields['requestId'] === id);
      expect(lines).toMatchObject([{ fields: { clientId: expect.stringContaining('token:') } }]);
    }
    expect(JSON.stringify(socket.messages)).not.toContain('a secret');
  });

  test('do not include client errors, which are neither masked nor logged', async () => {
    const errors = (): number => access.log.filter(({ level }) => level === 'error').length;
    const before = errors();
    const answer = await access.post('{ nonsense }', authorization);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(errors()).toBe(before);
  });
});
