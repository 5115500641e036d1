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

describe.each(['http', 'sse'] as const)('session over %s', (type) => {
  test('sends the configured headers with every request', async () => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server, type);
    expect(session.identity).toMatchObject({ name: 'over http', version: '1', simulated: true });
    expect(session.tools).toEqual([{ name: 'echo', description: null }]);
    expect(session.pid).toBeNull();
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer token']));
  });

  test('sends credentials of the URL as a header', async () => {
    await using server = await HttpServer.start();
    const url = `${server.origin.replace('//', '//me:p%40ss@')}/${type === 'http' ? 'mcp' : 'sse'}`;
    await using session = await connectSession({ type, url, headers: {} }, connectOptions());
    await call(session, 'echo');
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]),
    );
  });

  test('omits credentials and query from the error when the server is unreachable', async () => {
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

describe('session over streamable HTTP', () => {
  test('reads a response sent as an event stream', async () => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    expect((await call(session, 'streaming', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('sends a DELETE request when it is closed', async () => {
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
  ])('rejects the call on %s', async (_condition, tool, expected) => {
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
  ])('fails only the call on %s', async (_condition, tool, message) => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    expect(await outcomeOf(call(session, tool))).toEqual(new TransportError(message));
    expect((await call(session, 'echo', { still: 'here' })).value).toEqual({ still: 'here' });
  });

  test.each(['forgetful', 'confused'])('ends when the server no longer knows the session (%s)', async (tool) => {
    await using server = await HttpServer.start();
    await using session = await connectTo(server);
    const inFlight = outcomeOf(call(session, 'mute'));
    const reason = new SessionClosedError('the server no longer knows the session');
    expect(await outcomeOf(call(session, tool))).toEqual(reason);
    expect(await session.closed).toEqual(reason);
    expect(await inFlight).toEqual(reason);
  });

  test('keeps working when the server rejects notifications', async () => {
    await using server = await HttpServer.start();
    server.refusesNotifications = true;
    await using session = await connectTo(server);
    await outcomeOf(session.callTool('mute', {}, { ...CALL, timeoutMs: 20 }));
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('does not log failures that the caller receives', async () => {
    await using server = await HttpServer.start();
    const { logger, lines } = recordingLogger();
    const endpoint: EndpointConfig = { type: 'http', url: `${server.origin}/mcp`, headers: {} };
    await using session = await connectSession(endpoint, connectOptions({ logger }));
    for (const tool of ['unavailable', 'busy', 'hanging up']) await outcomeOf(call(session, tool));
    expect(lines).toEqual([]);
  });
});
