import { describe, expect, test } from 'vitest';
import {
  connectSession,
  type EndpointConfig,
  type McpSession,
  SessionClosedError,
  ToolRejectedError,
  TransportError,
} from '../../src/mcp/index.js';
import { HttpServer } from './http-server.js';
import { call, CALL, connectOptions, outcomeOf, recordingLogger } from './support.js';

function connectTo(server: HttpServer, type: 'http' | 'sse' = 'http'): Promise<McpSession> {
  const url = `${server.origin}/${type === 'http' ? 'mcp' : 'sse'}`;
  return connectSession({ type, url, headers: { authorization: 'Bearer token' } }, connectOptions());
}

describe.each(['http', 'sse'] as const)('over %s', (type) => {
  test('the handshake, the tools and a call, each with the headers', async () => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server, type);
    expect(session.identity).toMatchObject({ name: 'over http', version: '1', simulated: true });
    expect(session.tools).toEqual([{ name: 'echo', description: null }]);
    expect(session.pid).toBeNull();
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer token']));
  });

  test('credentials in the URL are sent as a header', async () => {
    await using server = await HttpServer.start();
    const url = `${server.origin.replace('//', '//me:p%40ss@')}/${type === 'http' ? 'mcp' : 'sse'}`;
    await using session = await connectSession({ type, url, headers: {} }, connectOptions());
    await call(session, 'echo');
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]),
    );
  });

  test('a server that cannot be reached is named without credentials and query', async () => {
    const server = await HttpServer.start();
    const { origin } = server;
    await server[Symbol.asyncDispose]();
    const url = `${origin.replace('//', '//me:secret@')}/mcp?token=secret`;
    const outcome = await outcomeOf(connectSession({ type, url, headers: {} }, connectOptions()));
    expect(outcome).toBeInstanceOf(TransportError);
    expect(String(outcome)).toMatch(new RegExp(`^TransportError: ${origin}/mcp: .*ECONNREFUSED`));
    expect(String(outcome)).not.toContain('secret');
  });
});

describe('streamable HTTP', () => {
  test('an answer may come as a stream', async () => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    expect((await call(session, 'streaming', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('the session is ended by a message of its own', async () => {
    await using server = await HttpServer.start();
    await (await connectTo(server))[Symbol.asyncDispose]();
    const last = server.seen.at(-1);
    expect(last?.http).toBe('DELETE /mcp');
    expect(last?.headers['mcp-session-id']).toBe('a-session');
  });

  test.each([
    [
      'HTTP 429 with Retry-After',
      'busy',
      { message: 'HTTP 429: too many requests', rpcCode: 429, retryAfterMs: 2_000 },
    ],
    ['HTTP 429 with a JSON-RPC error', 'busier', { message: 'HTTP 429: too fast', rpcCode: -32000, retryAfterMs: 250 }],
    ['a JSON-RPC error', 'refusing', { message: 'no such swarm', rpcCode: -32602, retryAfterMs: null }],
  ])('%s is a refusal', async (_what, tool, expected) => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    const outcome = await outcomeOf(call(session, tool));
    expect(outcome).toBeInstanceOf(ToolRejectedError);
    expect(outcome).toMatchObject(expected);
  });

  test.each([
    ['HTTP 503', 'unavailable', 'HTTP 503: down for maintenance'],
    ['a connection that breaks off before the answer', 'hanging up', 'other side closed'],
    ['a stream that breaks off before the answer', 'breaking off', 'the connection was lost before the response'],
  ])('%s fails the call at once, and not the session', async (_what, tool, message) => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    expect(await outcomeOf(call(session, tool))).toEqual(new TransportError(message));
    expect((await call(session, 'echo', { still: 'here' })).value).toEqual({ still: 'here' });
  });

  test.each(['forgetful', 'confused'])('a server that does not know the session (%s) ends it', async (tool) => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    const underWay = outcomeOf(call(session, 'mute'));
    const reason = new SessionClosedError('the server no longer knows the session');
    expect(await outcomeOf(call(session, tool))).toEqual(reason);
    expect(await session.closed).toEqual(reason);
    expect(await underWay).toEqual(reason);
  });

  test('a server that refuses notifications is no worse for it', async () => {
    await using server = await HttpServer.start();
    server.refusesNotifications = true;
    await using session = await connectTo(server);
    await outcomeOf(session.callTool('mute', {}, { ...CALL, timeoutMs: 20 }));
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('failures that are told to the caller are not logged as noise', async () => {
    await using server = await HttpServer.start();
    const { logger, lines } = recordingLogger();
    const endpoint: EndpointConfig = { type: 'http', url: `${server.origin}/mcp`, headers: {} };
    await using session = await connectSession(endpoint, connectOptions({ logger }));
    for (const tool of ['unavailable', 'busy', 'hanging up']) await outcomeOf(call(session, tool));
    expect(lines).toEqual([]);
  });
});
