import { describe, expect, test } from 'vitest';
import {
  connectSession,
  type EndpointConfig,
  type McpSession,
  type SessionEvent,
  SessionClosedError,
  ToolCallTimeoutError,
  ToolRejectedError,
  TransportError,
} from '../../src/mcp/index.js';
import { DaaMcp, type DaaOptions } from './bridges/daa-mcp.js';
import { McpGateway } from './bridges/mcp-gateway.js';
import { McpTcpServer, type TcpServerOptions } from './bridges/mcp-tcp-server.js';
import { McpWsRelay, type WsRelayOptions } from './bridges/mcp-ws-relay.js';
import { HttpServer } from './http-server.js';
import { waitUntil } from '../support/wait.js';
import { aTurn } from './peer.js';
import { call, CALL, connectOptions, outcomeOf, serverPath, guarded } from './support.js';

const TOKEN = 'bridge-token';

function session(endpoint: EndpointConfig): Promise<McpSession> {
  return connectSession(endpoint, connectOptions());
}

async function tcp(server: { readonly port: Promise<number> }, token: string | null = null): Promise<McpSession> {
  return session({ type: 'tcp', host: '127.0.0.1', port: await server.port, token });
}

function isNotification(name: string): boolean {
  return name.includes('notifications/');
}

describe('mcp-tcp-server', () => {
  const bridge = (options: Partial<TcpServerOptions> = {}): McpTcpServer =>
    new McpTcpServer({ child: [serverPath('plain')], ...options });

  test('lists the tools of a server whose initialize result has no capabilities', async () => {
    await using server = bridge();
    await using one = await tcp(server);
    expect(one.identity).toMatchObject({ name: 'claude-flow', version: '2.0.0-alpha.101', capabilities: ['tools'] });
    expect(one.tools.map(({ name }) => name)).toContain('echo');
    expect((await call(one, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('authenticates before the handshake', async () => {
    await using server = bridge({ token: TOKEN });
    await using one = await tcp(server, TOKEN);
    expect(server.seen.map(({ name }) => name)).toEqual(['authenticate', 'initialize', 'tools/list']);
    expect((await call(one, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('reports a rejected token with a hint and without the token', async () => {
    await using server = bridge({ token: 'another' });
    const outcome = await outcomeOf(tcp(server, TOKEN));
    expect(outcome).toBeInstanceOf(TransportError);
    const place = `tcp://127.0.0.1:${await server.port}`;
    expect(String(outcome)).toBe(
      `TransportError: ${place}: the server rejected the token; set "token" of this server to the token that the server was started with`,
    );
    expect(server.seen.map(({ name }) => name)).toEqual(['authenticate']);
  });

  test('reports a missing token with a hint', async () => {
    await using server = bridge({ token: TOKEN });
    const outcome = await outcomeOf(tcp(server));
    expect(outcome).toBeInstanceOf(TransportError);
    expect(String(outcome)).toMatch(/Authentication required: set "token" of this server/);
  });

  test('connects with a token to a bridge that does not support authentication', async () => {
    await using server = bridge({ child: [serverPath('strict')] });
    await using one = await tcp(server, TOKEN);
    expect((await call(one, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('delivers answers to the right session when the bridge routes them by request id', async () => {
    await using server = bridge();
    await using one = await tcp(server);
    await using other = await tcp(server);
    // With the ids of the official client, both calls would share an id and the first would receive both answers.
    const cancellation = new AbortController();
    const waiting = outcomeOf(one.callTool('mute', {}, { ...CALL, signal: guarded(cancellation.signal) }));
    expect((await call(other, 'echo', { from: 'other' })).value).toEqual({ from: 'other' });
    expect((await call(one, 'echo', { from: 'one' })).value).toEqual({ from: 'one' });
    cancellation.abort(new Error('enough'));
    expect(await waiting).toEqual(new Error('enough'));
  });

  test('reports the message of the bridge when it has too many connections', async () => {
    await using server = bridge({ maxConnections: 1 });
    await using _one = await tcp(server);
    const outcome = await outcomeOf(tcp(server));
    expect(outcome).toBeInstanceOf(TransportError);
    expect(String(outcome)).toContain('connection limit reached');
  });

  test('reports an orderly close when the bridge closes an old connection', async () => {
    await using server = bridge();
    await using one = await tcp(server);
    server.closeByAge();
    expect(await one.closed).toEqual(new SessionClosedError('the server closed the connection', true));
    await using next = await tcp(server);
    expect((await call(next, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test('receives no notifications', async () => {
    await using server = bridge();
    await using one = await tcp(server);
    await outcomeOf(one.callTool('mute', {}, { ...CALL, timeoutMs: 20 }));
    await call(one, 'echo');
    expect(server.seen.map(({ name }) => name).filter(isNotification)).toEqual([]);
  });
});

describe('mcp-ws-relay', () => {
  const relay = (options: Partial<WsRelayOptions> = {}): McpWsRelay =>
    new McpWsRelay({ child: [serverPath('plain')], token: TOKEN, ...options });

  async function ws(server: McpWsRelay, token = TOKEN): Promise<McpSession> {
    const url = `ws://127.0.0.1:${await server.port}/`;
    return session({ type: 'ws', url, headers: { authorization: `Bearer ${token}` } });
  }

  test('authenticates in the upgrade request', async () => {
    await using server = relay();
    await using one = await ws(server);
    expect((await call(one, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    const outcome = await outcomeOf(ws(server, 'wrong-token'));
    expect(outcome).toBeInstanceOf(TransportError);
    expect(String(outcome)).toContain('401');
    expect(String(outcome)).not.toContain('wrong-token');
  });

  test.each([1, 7, 64])('reassembles messages from frames of %i characters', async (charactersPerFrame) => {
    await using server = relay({ charactersPerFrame });
    await using one = await ws(server);
    const value = { text: 'größer 🐝 {"a":[}\n"', list: [1, { b: '}' }] };
    expect((await call(one, 'echo', value)).value).toEqual(value);
    expect(Math.max(...server.frames.map((frame) => Array.from(frame).length))).toBeLessThanOrEqual(charactersPerFrame);
  });

  test('splits frames of several lines and ignores lines that are not messages', async () => {
    await using server = relay({ child: [serverPath('noisy')] });
    await using one = await ws(server);
    expect((await call(one, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(server.frames.some((frame) => frame.trim().includes('\n'))).toBe(true);
  });

  test('rejects a call beyond the rate limit with a retry delay', async () => {
    await using server = relay({ maxMessages: 4 });
    await using one = await ws(server);
    await call(one, 'echo');
    expect(server.seen).toEqual(['initialize', 'notifications/initialized', 'tools/list', 'echo']);
    const outcome = await outcomeOf(call(one, 'echo'));
    expect(outcome).toBeInstanceOf(ToolRejectedError);
    expect(outcome).toMatchObject({ message: 'Rate limit exceeded', rpcCode: -32000, retryAfterMs: 10_000 });
  });

  test('keeps two calls in flight until their timeout when an error without an id arrives', async () => {
    await using server = relay({ maxMessages: 4 });
    await using one = await ws(server);
    const shortTimeout = { ...CALL, timeoutMs: 50 };
    const outcomes = await Promise.all(['mute', 'echo'].map((tool) => outcomeOf(one.callTool(tool, {}, shortTimeout))));
    expect(outcomes.map((outcome) => outcome instanceof ToolCallTimeoutError)).toEqual([true, true]);
  });

  test('reports an orderly close when the relay closes an old connection', async () => {
    await using server = relay();
    await using one = await ws(server);
    server.closeByAge();
    expect(await one.closed).toMatchObject({ name: 'SessionClosedError', isOrderly: true });
  });
});

describe.each(['noted', 'source'] as const)('mcp-gateway (%s variant)', (like) => {
  test('offers its own methods as tools', async () => {
    await using server = new McpGateway({ like });
    server.register({ id: 'a-1', description: 'looks things up' });
    await using one = await tcp(server);
    expect(one.tools.map(({ name }) => name)).toEqual(['agent/list', 'agent/register']);
    const { value } = await call(one, 'agent/list');
    expect(value).toMatchObject({ agents: [{ id: 'a-1', description: 'looks things up' }], count: 1 });
    expect((await call(one, 'agent/register', { id: 'a-2' })).value).toEqual({ success: true, agentId: 'a-2' });
    expect([...server.agents.keys()]).toEqual(['a-1', 'a-2']);
  });

  test('delivers agent events after the handshake', async () => {
    await using server = new McpGateway({ like });
    await using one = await tcp(server);
    await server.subscribed();
    const pushed = new Promise<SessionEvent>((resolve) => one.onEvent(resolve));
    server.act({ source_agent_id: 'a-1', timestamp: 1_795_446_110_463 });
    expect(await pushed).toMatchObject({
      kind: 'NOTIFICATION',
      method: 'notifications/agent_action',
      params: { type: 'agent_action', event: { source_agent_id: 'a-1' } },
    });
  });

  test('receives concurrent calls one at a time', async () => {
    await using server = new McpGateway({ like });
    await using one = await tcp(server);
    let release: () => void = () => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    const inFlight = Array.from({ length: 30 }, () => call(one, 'agent/list'));
    // Calls sent together with the first call would arrive within this turn.
    await waitUntil(() => server.seen.includes('agent/list'), { state: () => server.seen });
    await aTurn();
    release();
    const answers = await Promise.all(inFlight);
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 30 }, () => ({ agents: [], count: 0 })));
    expect(server.mostAtOnce).toBe(1);
    expect(server.refused).toBe(0);
  });

  test('receives no notification for a call that times out', async () => {
    await using server = new McpGateway({ like });
    await using one = await tcp(server);
    server.hold = new Promise(() => undefined);
    const shortTimeout = { ...CALL, timeoutMs: 20 };
    expect(await outcomeOf(one.callTool('agent/list', {}, shortTimeout))).toBeInstanceOf(ToolCallTimeoutError);
    server.hold = Promise.resolve();
    expect((await call(one, 'agent/list')).value).toEqual({ agents: [], count: 0 });
    expect(server.seen.filter(isNotification)).toEqual([]);
  });

  test('rejects waiting calls when the connection closes and never sends an aborted call', async () => {
    const server = new McpGateway({ like });
    await using one = await tcp(server);
    server.hold = new Promise(() => undefined);
    const inFlight = outcomeOf(call(one, 'agent/list'));
    const cancellation = new AbortController();
    const waiting = outcomeOf(
      one.callTool('agent/register', { id: 'never' }, { ...CALL, signal: guarded(cancellation.signal) }),
    );
    const waitingToo = outcomeOf(call(one, 'agent/list'));
    cancellation.abort(new Error('changed my mind'));
    expect(await waiting).toEqual(new Error('changed my mind'));
    await server[Symbol.asyncDispose]();
    expect(await inFlight).toBeInstanceOf(SessionClosedError);
    expect(await waitingToo).toBeInstanceOf(SessionClosedError);
    expect(server.agents.size).toBe(0);
  });

  test('counts as alive when it rejects a ping as unknown', async () => {
    await using server = new McpGateway({ like });
    await using one = await tcp(server);
    await one.ping(CALL);
    expect(server.seen.at(-1)).toBe('ping');
  });
});

describe('daa-mcp', () => {
  const INDEXER = { id: 'worker-1', name: 'Indexer', agent_type: 'researcher', status: 'running' } as const;

  async function over(type: 'http' | 'ws', server: DaaMcp): Promise<McpSession> {
    const port = await server.port;
    const url = type === 'http' ? `http://127.0.0.1:${port}/mcp` : `ws://127.0.0.1:${port}/mcp/ws`;
    return session({ type, url, headers: {} });
  }

  describe.each(['http', 'ws'] as const)('over %s', (type) => {
    test('returns values from its own content type with null annotations', async () => {
      await using server = new DaaMcp();
      server.spawn({ ...INDEXER });
      await using one = await over(type, server);
      expect(one.identity).toMatchObject({ name: 'daa-mcp-server', version: '0.2.0' });
      expect(one.tools.map(({ name }) => name)).toContain('list_agents');
      expect((await call(one, 'list_agents')).value).toMatchObject({ agents: [INDEXER], total_count: 1 });
    });

    test('receives no notifications', async () => {
      await using server = new DaaMcp();
      await using one = await over(type, server);
      const cancellation = new AbortController();
      const given = outcomeOf(one.callTool('list_agents', {}, { ...CALL, signal: guarded(cancellation.signal) }));
      cancellation.abort(new Error('enough'));
      expect(await given).toEqual(new Error('enough'));
      await call(one, 'list_tasks');
      expect(server.seen.filter(isNotification)).toEqual([]);
    });

    test('assigns errors without an id to the calls that they answer', async () => {
      await using server = new DaaMcp();
      server.spawn({ ...INDEXER });
      await using one = await over(type, server);
      const wanted = ['nobody', 'worker-1', 'no-one', 'worker-1'].map((agent_id) =>
        outcomeOf(call(one, 'pause_agent', { agent_id })),
      );
      expect(await Promise.all(wanted)).toEqual([
        new ToolRejectedError('Agent not found: nobody', -32603),
        { isError: false, value: 'Successfully paused agent: worker-1' },
        new ToolRejectedError('Agent not found: no-one', -32603),
        { isError: false, value: 'Successfully paused agent: worker-1' },
      ]);
    });

    test('counts as alive when it rejects a ping as unknown', async () => {
      await using server = new DaaMcp();
      await using one = await over(type, server);
      await one.ping(CALL);
      expect(server.seen.at(-1)).toBe(`${type} ping`);
    });
  });

  test.each<Required<DaaOptions>>([{ errorStatus: 500 }, { errorStatus: 200 }])(
    'rejects a call immediately on an error response with status $errorStatus',
    async (options) => {
      await using server = new DaaMcp(options);
      await using one = await over('http', server);
      expect(await outcomeOf(call(one, 'spawn'))).toEqual(
        new ToolRejectedError('Invalid tool: Unknown tool: spawn', -32603),
      );
    },
  );
});

describe('HTTP server that rejects notifications', () => {
  test('receives no notification after the first rejection', async () => {
    await using server = await HttpServer.start();
    server.refusesNotifications = true;
    await using one = await session({ type: 'http', url: `${server.origin}/mcp`, headers: {} });
    await outcomeOf(one.callTool('mute', {}, { ...CALL, timeoutMs: 20 }));
    await call(one, 'echo');
    const names = server.seen.map(({ rpc }) => rpc ?? '');
    expect(names.filter(isNotification)).toEqual(['notifications/initialized']);
  });
});
