import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { AccessServer } from '../support/access-server.js';
import { BareSocket } from '../support/bare-socket.js';
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

/** How an upgrade is answered that is no WebSocket in the end; "101" when it is one. */
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

/** As sent by a program that says whatever `Host` it likes. */
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

describe('pages of other origins', () => {
  test('those that are named may use the server, after asking', async () => {
    const asked = await fetch(access.url, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'accept, authorization, content-type',
      vary: 'Origin',
    });
    expect(asked.headers.has('access-control-allow-credentials')).toBe(false);
    const answer = await access.post('{ agents { id } }', authorization, { origin: ORIGIN });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, ORIGIN]);
    const refused = await access.post('{ agents { id } }', null, { origin: ORIGIN });
    // A page has to be able to read why.
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, ORIGIN]);
    expect(await upgrade(access.server.socketUrl, { origin: ORIGIN })).toBe('101');
  });

  test.each([
    'https://evil.example',
    'https://swarm.example.evil.example',
    'http://swarm.example',
    'https://swarm.example:444',
    'null',
  ])('%s is refused with a token as without, over HTTP, preflight and upgrade', async (origin) => {
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

  test('without authentication those that are named may use it as well, and no others', async () => {
    await using open = await DeliveryServer.start({}, { origins: [ORIGIN] });
    expect(await upgrade(open.socketUrl, { origin: ORIGIN })).toBe('101');
    expect(await upgrade(open.socketUrl, { origin: 'https://evil.example' })).toMatch(/^403 /);
  });
});

describe('what a form of another page can send', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('a body of the type "%s" is not an operation, whatever is in it', async (type) => {
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

  test('a mutation over GET is refused', async () => {
    const query = encodeURIComponent('mutation { requestAgentUpdate { serverIds } }');
    const answer = await fetch(`${access.url}?query=${query}`, { headers: { authorization } });
    expect(answer.status).toBe(405);
  });
});

describe('a token in a URL', () => {
  test.each(['token', 'access_token', 'Authorization', 'jwt', 'anything'])(
    'is refused over HTTP and on upgrade although it is right, and is told why: "%s"',
    async (name) => {
      const query = `?${name}=${authorization.slice(7)}`;
      const answer = await fetch(`${access.url}${query}&query={__typename}`, { headers: { authorization } });
      expect(answer.status).toBe(400);
      const text = await answer.text();
      expect(text).toContain('ends up in logs');
      expect(text).not.toContain(authorization.slice(7));
      expect(await upgrade(`${access.server.socketUrl}${query}`, { authorization })).toMatch(/^400 .*ends up in logs/);
    },
  );

  test('nobody looks at tokens where nobody has to say who they are', async () => {
    await using open = await DeliveryServer.start();
    const plain = await fetch(`${open.url}/graphql?token=x&query={viewer{subject}}`, {
      headers: { authorization: 'Basic x' },
    });
    expect(await plain.json()).toEqual({ data: { viewer: { subject: null } } });
  });
});

describe('without a token', () => {
  test('a browser gets GraphiQL, which sends its headers with everything, and nothing of the picture', async () => {
    const page = await fetch(`${access.url}?query={agents{id}}`, { headers: { accept: 'text/html,*/*' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    const html = await page.text();
    expect(html).toContain('"subscriptionsProtocol":"SSE"');
    expect(html).not.toContain('"x:0"');
  });

  test('what is taken for the page and is none runs nothing', async () => {
    for (const accept of ['text/html', 'application/json;x="text/html"', 'text/event-stream, text/html']) {
      const post = await access.post('{ agents { id } }', null, { accept });
      expect(post.status).toBe(401);
      const get = await fetch(`${access.url}?query={agents{id}}`, { headers: { accept } });
      expect(await get.text()).not.toContain('"x:0"');
    }
  });

  test('health paths answer', async () => {
    expect((await fetch(`${access.server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${access.server.url}/readyz`)).status).toBe(200);
  });
});

test('any Host is served with authentication or when somebody insists, and only those of this machine otherwise', async () => {
  expect(await withHost(access.server.url, 'swarm.example')).toMatch(/^HTTP\/1.1 200/);
  await using open = await DeliveryServer.start({}, { anyHost: true });
  expect(await withHost(open.url, 'swarm.example')).toMatch(/^HTTP\/1.1 200/);
  await using closed = await DeliveryServer.start();
  expect(await withHost(closed.url, 'swarm.example')).toMatch(/^HTTP\/1.1 403/);
});

describe('an error of ours', () => {
  const QUERY_THAT_FAILS = '{ discovery { candidates { place } } }';

  test('is masked, and its id in error and header is the one in the log; an id that the client sends is not taken', async () => {
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

  test('over WebSocket each operation has an id of its own', async () => {
    access.server.failure = new Error('a secret');
    await using socket = await BareSocket.withToken(access.server, authorization.slice(7));
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

  test('a mistake of the client is no error of ours: it is neither masked nor logged', async () => {
    const before = access.log.length;
    const answer = await access.post('{ nonsense }', authorization);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(access.log).toHaveLength(before);
  });
});
