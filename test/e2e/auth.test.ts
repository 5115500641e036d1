import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessServer } from '../support/access-server.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';

const WATCH = 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { kind cursor agents { id name } } }';
const VIEWER = '{ viewer { subject permissions expiresAt restriction { serverIds performance } } }';

let access: AccessServer;

beforeAll(async () => {
  access = await AccessServer.start();
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
});

/** Result of authentication over one transport. */
interface Answer {
  readonly isAuthenticated: boolean;
  /** Error message or close reason; empty if the client is authenticated. */
  readonly message: string;
}

interface ErrorBody {
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

async function overHttp(authorization: string | null): Promise<Answer> {
  return await answerOf(await access.post(VIEWER, authorization));
}

async function overSse(authorization: string | null): Promise<Answer> {
  const response = await access.post(WATCH, authorization, { accept: 'text/event-stream' });
  if (!response.ok) return await answerOf(response);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  await response.body?.cancel();
  return { isAuthenticated: true, message: '' };
}

async function answerOf(response: Response): Promise<Answer> {
  const { errors: [error] = [] } = (await response.json()) as ErrorBody; // as GraphQL over HTTP defines it
  if (error === undefined) return { isAuthenticated: true, message: '' };
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  expect(error.extensions['code']).toBe('UNAUTHENTICATED');
  return { isAuthenticated: false, message: error.message };
}

async function overSocket(payload: Record<string, unknown> | null, header: string | null): Promise<Answer> {
  await using socket = await RawGraphqlWsClient.open(access.server, payload, header);
  const acknowledged = socket
    .until(({ messages }) => messages.length > 0)
    .then(
      () => true,
      () => false,
    );
  if (await acknowledged) return { isAuthenticated: true, message: '' };
  const { code, reason } = await socket.closed;
  expect(code).toBe(4403);
  expect(socket.messages).toEqual([]);
  return { isAuthenticated: false, message: reason };
}

const TRANSPORTS: readonly (readonly [string, (authorization: string | null) => Promise<Answer>])[] = [
  ['HTTP', overHttp],
  ['SSE', overSse],
  ['WebSocket (upgrade request)', (authorization) => overSocket(null, authorization)],
  ['WebSocket (connection_init)', (authorization) => overSocket(authorization === null ? {} : { authorization }, null)],
];

describe.each(TRANSPORTS)('authentication over %s', (_name, authenticate) => {
  test('accepts a static token and a JWT with any spelling of the scheme', async () => {
    const { text } = await access.token();
    for (const authorization of [`Bearer ${text}`, `bearer  ${text}`, `Bearer ${await access.jwt()}`]) {
      expect(await authenticate(authorization)).toEqual({ isAuthenticated: true, message: '' });
    }
  });

  test.each<[string, () => Promise<string | null>, RegExp]>([
    ['a missing token', () => Promise.resolve(null), /Token required/],
    ['another scheme', () => Promise.resolve('Basic dTpw'), /Unsupported authentication scheme/],
    ['a token without a scheme', () => Promise.resolve('swl_0123456789ab_x'), /Unsupported authentication scheme/],
    ['a malformed token', () => Promise.resolve('Bearer a b'), /Invalid token/],
    [
      'an unknown token',
      () => Promise.resolve(`Bearer swl_0123456789ab_${'A'.repeat(43)}`),
      /Unknown or revoked token/,
    ],
    [
      'a token with the secret of another token',
      async () => {
        const [one, other] = [await access.token(), await access.token()];
        return `Bearer ${one.text.slice(0, 17)}${other.text.slice(17)}`;
      },
      /Unknown or revoked token/,
    ],
    [
      'an expired token',
      async () => `Bearer ${(await access.token({ expiresAt: '2026-11-23T14:59:59.000Z' })).text}`,
      /has expired/,
    ],
    ['an expired JWT', async () => `Bearer ${await access.jwt({ exp: 1 })}`, /has expired/],
    ['a JWT that is not valid yet', async () => `Bearer ${await access.jwt({ nbf: 4e9 })}`, /not valid yet/],
    ['a JWT for another audience', async () => `Bearer ${await access.jwt({ aud: 'others' })}`, /another audience/],
    ['a JWT of another issuer', async () => `Bearer ${await access.jwt({ iss: 'https://x' })}`, /another issuer/],
    ['a JWT without expiry', async () => `Bearer ${await access.jwt({ exp: undefined })}`, /has no expiry/],
    [
      'a JWT with an unknown restriction',
      async () => `Bearer ${await access.jwt({ swarmlens: { a: 1 } })}`,
      /Invalid claim "swarmlens"/,
    ],
    [
      'an unsigned JWT',
      () =>
        Promise.resolve(
          `Bearer ${new UnsecuredJWT({ iss: 'https://issuer.example', aud: 'swarmlens', exp: 4e9 }).encode()}`,
        ),
      /Invalid token/,
    ],
    ['a token of 8 KiB', () => Promise.resolve(`Bearer ${'a'.repeat(8_192)}`), /more than 8192 characters/],
  ])('rejects %s without repeating the token in the message', async (_name, createHeader, message) => {
    const authorization = await createHeader();
    const answer = await authenticate(authorization);
    expect(answer.isAuthenticated).toBe(false);
    expect(answer.message).toMatch(message);
    if (authorization !== null) expect(answer.message).not.toContain(authorization.slice(-12));
  });
});

describe('authenticated viewer', () => {
  test('uses the token of connection_init instead of the token of the upgrade request', async () => {
    const { text } = await access.token();
    expect(await overSocket({ authorization: `Bearer ${text}` }, 'Bearer wrong')).toMatchObject({
      isAuthenticated: true,
    });
    expect(await overSocket({ authorization: 'Bearer wrong' }, `Bearer ${text}`)).toMatchObject({
      isAuthenticated: false,
    });
    await using socket = await RawGraphqlWsClient.open(access.server, { authorization: 7 });
    expect(await socket.closed).toEqual({
      code: 4400,
      reason: 'connection_init: "authorization" must be a string: "Bearer <token>"',
    });
  });

  test('viewer returns subject, permissions, expiry and restriction over HTTP and WebSocket', async () => {
    const token = await access.jwt({ scope: 'agents:read', swarmlens: { servers: ['x'], performance: false } });
    const expected = {
      viewer: {
        subject: 'jwt:ada',
        permissions: ['agents:read'],
        expiresAt: new Date(Math.floor(access.clock.now() / 1000) * 1000 + 60_000).toISOString(),
        restriction: { serverIds: ['x'], performance: false },
      },
    };
    const response = await access.post(VIEWER, `Bearer ${token}`);
    expect(await response.json()).toMatchObject({ data: expected });
    await using socket = await RawGraphqlWsClient.withToken(access.server, token);
    socket.run('1', VIEWER);
    await socket.until(({ messages }) => messages.some(({ type }) => type === 'complete'));
    expect(socket.of('1')[0]).toMatchObject({ data: expected });
  });

  test('counts limits by token instead of by address', async () => {
    const { text, id } = await access.token();
    await access.post('mutation { requestAgentUpdate { serverIds } }', `Bearer ${text}`);
    expect(access.server.uses.at(-1)).toMatchObject({ what: 'requestAgentUpdate', clientId: `token:${id}` });
  });

  test.each([
    ['health:read', '{ agents { id } }', 'agents:read'],
    ['health:read', WATCH, 'agents:read'],
    ['health:read', 'subscription { topologyChanges { kind } }', 'agents:read'],
    ['agents:read', '{ health { status } }', 'health:read'],
    ['agents:read', 'subscription { notices { code } }', 'health:read'],
    ['agents:read health:read', 'mutation { callTool(serverId: "x", tool: "y") { isError } }', 'tools:call'],
    ['', '{ swarms { id } }', 'agents:read'],
  ])('with the scope "%s", %s returns FORBIDDEN for the permission %s', async (scope, query, permission) => {
    const token = await access.jwt({ scope });
    const forbidden = { extensions: { code: 'FORBIDDEN', permission } };
    const accept = query.startsWith('subscription') ? 'text/event-stream' : 'application/json';
    const text = await (await access.post(query, `Bearer ${token}`, { accept })).text();
    const body = JSON.parse(text.replace(/^[^{]*(?=\{)/s, '').split('\n')[0] ?? '') as unknown; // an SSE event or the whole body
    expect(body).toMatchObject({ errors: [forbidden] });
    await using socket = await RawGraphqlWsClient.withToken(access.server, token);
    socket.run('1', query);
    await socket.until(({ messages }) => messages.length > 1);
    const [payload] = socket.of('1');
    expect(Array.isArray(payload) ? { errors: payload } : payload).toMatchObject({ errors: [forbidden] });
  });
});
