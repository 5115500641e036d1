import { expect, test } from 'vitest';
import { DaaMcp } from '../mcp/bridges/daa-mcp.js';
import { McpGateway } from '../mcp/bridges/mcp-gateway.js';
import { McpTcpServer } from '../mcp/bridges/mcp-tcp-server.js';
import { McpWsRelay } from '../mcp/bridges/mcp-ws-relay.js';
import { PROGRAM, request, serverConfig, SocketClient, startApp, WirePicture } from '../support/app.js';
import type { ServerConfig } from '../../src/config/index.js';

const TOKEN = 'tell-nobody';
const CHILD = [PROGRAM, 'simulate', '--type', 'claude-flow', '--agents', '4', '--seed', '1', '--hz', '0'];
const HEALTH_CHANGES = 'subscription { healthChanges { serverId previousStatus status } }';
const SPAWN =
  'mutation Spawn($serverId: ID!, $arguments: JSON) { callTool(serverId: $serverId, tool: "agent_spawn", arguments: $arguments) { isError content } }';
const INDEXER = { id: 'worker-1', name: 'Indexer', agent_type: 'researcher', status: 'running' } as const;

function server(id: string, endpoint: ServerConfig['endpoint'], overrides: Partial<ServerConfig> = {}): ServerConfig {
  return serverConfig(id, [], { endpoint, ...overrides });
}

async function tcp(
  id: string,
  { port }: { port: Promise<number> },
  token: string | null = null,
): Promise<ServerConfig> {
  return server(id, { type: 'tcp', host: '127.0.0.1', port: await port, token });
}

test('the agents of every bridge, and of the DAA server over both of its transports, are in the picture', async () => {
  await using shared = new McpTcpServer({ child: CHILD, token: TOKEN });
  await using relay = new McpWsRelay({ child: CHILD, token: TOKEN, charactersPerFrame: 100 });
  await using gateway = new McpGateway({ like: 'noted' });
  gateway.register({ id: 'a-1', name: 'Writer', status: 'idle' });
  await using daa = new DaaMcp();
  daa.spawn({ ...INDEXER });
  const daaPort = await daa.port;
  const bearer = { authorization: `Bearer ${TOKEN}` };
  await using app = await startApp([
    await tcp('shared', shared, TOKEN),
    server('relay', { type: 'ws', url: `ws://127.0.0.1:${await relay.port}/`, headers: bearer }, { maxPollHz: 0.25 }),
    await tcp('gateway', gateway),
    server('daa-post', { type: 'http', url: `http://127.0.0.1:${daaPort}/mcp`, headers: {} }),
    server('daa-ws', { type: 'ws', url: `ws://127.0.0.1:${daaPort}/mcp/ws`, headers: {} }),
  ]);
  await using client = new SocketClient(app);
  using stream = client.watchAgents();
  await stream.until(({ length }) => length > 0);
  const agents = [...stream.data.reduce((picture, one) => picture.apply(one), new WirePicture()).whole.values()];
  const of = (serverId: string): unknown[] => agents.filter((agent) => agent['serverId'] === serverId);
  expect(of('shared').length).toBeGreaterThan(0);
  expect(of('relay')).toHaveLength(of('shared').length);
  expect(of('gateway')).toMatchObject([{ name: 'Writer', status: 'IDLE', serverType: 'CLAUDE_FLOW' }]);
  for (const id of ['daa-post', 'daa-ws']) {
    expect(of(id)).toMatchObject([{ name: 'Indexer', type: 'researcher', status: 'ACTIVE', serverType: 'DAA' }]);
  }
  const { data } = await request(app, '{ servers { id transport type status lastError } }');
  expect(data?.['servers']).toEqual([
    { id: 'shared', transport: 'TCP', type: 'CLAUDE_FLOW', status: 'ONLINE', lastError: null },
    { id: 'relay', transport: 'WS', type: 'CLAUDE_FLOW', status: 'ONLINE', lastError: null },
    { id: 'gateway', transport: 'TCP', type: 'CLAUDE_FLOW', status: 'ONLINE', lastError: null },
    { id: 'daa-post', transport: 'HTTP', type: 'DAA', status: 'ONLINE', lastError: null },
    { id: 'daa-ws', transport: 'WS', type: 'DAA', status: 'ONLINE', lastError: null },
  ]);
  expect(daa.seen.filter((name) => name.includes('notifications/'))).toEqual([]);
});

test.each(['noted', 'source'] as const)(
  'what a gateway (%s) pushes reaches a subscriber before the next poll: a status, and an agent that was not there',
  async (like) => {
    await using gateway = new McpGateway({ like });
    gateway.register({ id: 'a-1', name: 'Writer', status: 'idle' });
    const config = { ...(await tcp('gateway', gateway)), maxPollHz: 0.01 };
    await using app = await startApp([config], { heartbeatMs: 3_600_000 });
    await using client = new SocketClient(app);
    using stream = client.watchAgents();
    await stream.until(({ length }) => length > 0);
    await gateway.subscribed();

    gateway.act({ source_agent_id: 'a-1', timestamp: 1_795_446_110_463, metadata: { status: 'busy' } });
    gateway.act({ source_agent_id: 4711, timestamp: 1_795_446_110_500 });
    const told = await stream.until((updates) =>
      updates.some(({ agentUpdates }) => agentUpdates.agents.some(({ id }) => id === 'gateway:4711')),
    );
    const { whole } = told.reduce((picture, update) => picture.apply(update), new WirePicture());
    expect(whole.get('gateway:a-1')).toMatchObject({
      status: 'BUSY',
      lastActiveAt: new Date(1_795_446_110_463).toISOString(),
      stale: false,
    });
    // It was never registered, so no poll can have told of it.
    expect(whole.get('gateway:4711')).toMatchObject({ status: 'UNKNOWN', serverType: 'CLAUDE_FLOW' });
  },
);

test('a relay that is asked for more than it allows is left alone for a while, with its agents not stale', async () => {
  await using relay = new McpWsRelay({ child: CHILD, token: TOKEN, maxMessages: 30 });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const endpoint = { type: 'ws', url: `ws://127.0.0.1:${await relay.port}/`, headers } as const;
  await using app = await startApp([server('relay', endpoint)]);
  await using client = new SocketClient(app);
  using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
  await relay.refused();
  await stream.until(({ length }) => length > 0);
  const { data } = await request(app, '{ servers { status circuitBreaker { state } } agents { stale } }');
  expect(data?.['servers']).toEqual([{ status: 'ONLINE', circuitBreaker: { state: 'CLOSED' } }]);
  expect(JSON.stringify(data?.['agents'])).not.toContain('true');
  expect(relay.seen.length).toBe(30);
});

test.each(['mcp-tcp-server', 'mcp-ws-relay'] as const)(
  'a connection that %s closes by age is followed by the next one, and no subscriber sees stale agents or a server that is away',
  async (kind) => {
    await using shared = new McpTcpServer({ child: CHILD });
    await using relay = new McpWsRelay({ child: CHILD, token: TOKEN });
    const bridge = kind === 'mcp-tcp-server' ? shared : relay;
    const headers = { authorization: `Bearer ${TOKEN}` };
    const config =
      kind === 'mcp-tcp-server'
        ? await tcp('bridge', shared)
        : server('bridge', { type: 'ws', url: `ws://127.0.0.1:${await relay.port}/`, headers });
    await using app = await startApp([{ ...config, maxPollHz: 1, allowTools: ['agent_spawn'] }]);
    await using client = new SocketClient(app);
    using stream = client.watchAgents();
    using health = client.subscribe(HEALTH_CHANGES);
    await stream.until(({ length }) => length > 0);

    bridge.closeByAge();
    await bridge.connected(2);
    const args = { serverId: 'bridge', arguments: { agentType: 'coder', agentId: 'newcomer' } };
    const { data, errors } = await request(app, SPAWN, args);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({ callTool: { isError: false } });
    const told = await stream.until((updates) =>
      updates.some(({ agentUpdates }) => agentUpdates.agents.some(({ id }) => id === 'bridge:newcomer')),
    );
    expect(told.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);
    expect(told.flatMap(({ agentUpdates }) => agentUpdates.agents).filter(({ stale }) => stale !== false)).toEqual([]);
    expect(told.filter(({ agentUpdates }) => agentUpdates.kind === 'SNAPSHOT')).toHaveLength(1);
    expect(health.data).toEqual([]);
    expect(bridge.connections).toBe(2);
  },
);
