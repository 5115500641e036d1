import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { request, serverConfig, simulator, SocketClient, startApp, type GraphQLAnswer } from '../support/app.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { waitUntil } from '../support/wait.js';

let app: App;

beforeAll(async () => {
  app = await startApp([
    simulator('claude-flow', { hz: 0 }, { allowTools: ['agent_spawn', 'swarm_init'] }),
    simulator('ruv-swarm', { hz: 0 }, { allowTools: ['agent_spawn', 'agent_metrics'] }),
    serverConfig('broken', ['--eval', 'process.exit(3)']),
  ]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

function errorOf(answer: GraphQLAnswer): { code: unknown; argument: unknown; message: string } {
  const [error] = answer.errors ?? [];
  if (error === undefined) throw new Error(`no error in ${JSON.stringify(answer)}`);
  return { code: error.extensions?.['code'], argument: error.extensions?.['argument'], message: error.message };
}

describe('GraphQL queries', () => {
  test('discovery includes the servers that did not start', async () => {
    const { data } = await request(
      app,
      `{ discovery { totalAgents timestamp swarms { id topology agentCount } servers {
          id type name version transport status tools agentCount stale simulated connectedAt lastSeenAt lastError
          circuitBreaker { state consecutiveFailures openedAt retryAt } latency { p50Ms } replicas { id status inFlight }
      } } }`,
    );
    const discovery = data?.['discovery'] as {
      totalAgents: number;
      servers: Record<string, unknown>[];
      swarms: unknown[];
    };
    expect(discovery.servers.map(({ id, type, status, stale }) => [id, type, status, stale])).toEqual([
      ['claude-flow', 'CLAUDE_FLOW', 'ONLINE', false],
      ['ruv-swarm', 'RUV_SWARM', 'ONLINE', false],
      ['broken', 'CUSTOM', 'OFFLINE', true],
    ]);
    const counts = discovery.servers.map(({ agentCount }) => agentCount as number);
    expect(discovery.totalAgents).toBe(counts.reduce((sum, count) => sum + count, 0));
    expect(discovery.servers[0]).toMatchObject({ name: 'ruflo', simulated: true, lastError: null, transport: 'STDIO' });
    expect(discovery.servers[2]).toMatchObject({ lastError: expect.any(String), connectedAt: null, tools: [] });
    expect(discovery.swarms.length).toBeGreaterThan(1);
  });

  test('agent, server and topology return null for an unknown id', async () => {
    const { data } = await request(
      app,
      '{ agents(serverTypes: [CLAUDE_FLOW]) { id swarmId } servers(types: [RUV_SWARM]) { id } }',
    );
    const agents = data?.['agents'] as { id: string; swarmId: string | null }[];
    expect(data?.['servers']).toEqual([{ id: 'ruv-swarm' }]);
    const member = agents.find(({ swarmId }) => swarmId !== null);
    const answer = await request(
      app,
      `query One($id: ID!, $swarmId: ID!) {
        agent(id: $id) { id } server(id: "claude-flow") { id } topology(swarmId: $swarmId) { swarmId topology agents { id } edges { from to inferred } }
        nobody: agent(id: "no:body") { id } nothing: server(id: "nothing") { id } nowhere: topology(swarmId: "no:where") { swarmId }
      }`,
      { id: member?.id, swarmId: member?.swarmId },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({
      agent: { id: member?.id },
      server: { id: 'claude-flow' },
      topology: { swarmId: member?.swarmId },
      nobody: null,
      nothing: null,
      nowhere: null,
    });
  });

  test('health reports servers, circuit breakers, connections, event loop and memory', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe('subscription { agentUpdates(mode: HIGH_FREQUENCY) { cursor } }');
    await stream.until(({ length }) => length >= 1);
    const open = async (): Promise<unknown> => (await request(app, '{ health { connections { open } } }')).data;
    let seen = await open();
    // The server notices only after a moment that the clients of other tests have disconnected.
    await waitUntil(async () => isDeepStrictEqual((seen = await open()), { health: { connections: { open: 1 } } }), {
      state: () => seen,
    });
    const { data, errors } = await request(
      app,
      `{ health { status servers { id } breakers { serverId circuitBreaker { state } } uptimeMs timestamp
          connections { open subscriptions slow roundTripP50Ms meanRequestedHz meanEffectiveHz minEffectiveHz }
          eventLoop { delayP50Ms delayP99Ms utilization } memory { rssBytes heapUsedBytes heapTotalBytes } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data?.['health']).toMatchObject({
      status: 'DEGRADED',
      connections: {
        open: 1,
        subscriptions: 1,
        slow: 0,
        meanRequestedHz: 60,
        meanEffectiveHz: expect.any(Number),
        minEffectiveHz: expect.any(Number),
      },
    });
  });
});

describe('GraphQL mutations', () => {
  test('callTool starts an agent that appears in open streams', async () => {
    await using client = new SocketClient(app);
    using stream = client.subscribe<{ agentUpdates: { agents: { nativeId: string }[] } }>(
      'subscription { agentUpdates(serverTypes: [CLAUDE_FLOW]) { kind agents { nativeId } } }',
    );
    await stream.until(({ length }) => length >= 1);
    const { data, errors } = await request(
      app,
      `mutation { callTool(serverId: "claude-flow", tool: "agent_spawn", arguments: { agentType: "coder", agentId: "made-by-hand" }) { isError content durationMs tool serverId } }`,
    );
    expect(errors).toBeUndefined();
    expect(data?.['callTool']).toMatchObject({ isError: false, content: { success: true, agentId: 'made-by-hand' } });
    await stream.until((updates) =>
      updates.some(({ agentUpdates }) => agentUpdates.agents.some(({ nativeId }) => nativeId === 'made-by-hand')),
    );
  });

  test('callTool returns FORBIDDEN and names allowTools when the tool is not allowed', async () => {
    const answer = await request(
      app,
      'mutation { callTool(serverId: "claude-flow", tool: "agent_terminate") { isError } }',
    );
    expect(errorOf(answer)).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('allowTools') });
  });

  test('callTool returns a result with isError when the server rejects the call', async () => {
    const answer = await request(
      app,
      'mutation { callTool(serverId: "ruv-swarm", tool: "agent_metrics") { isError content } }',
    );
    expect(answer.data?.['callTool']).toMatchObject({
      isError: true,
      content: expect.stringContaining('neuralNetworks'),
    });
  });

  test('callTool returns BAD_USER_INPUT for an unknown server and FORBIDDEN for an offline server without allowed tools', async () => {
    const unknown = await request(app, 'mutation { callTool(serverId: "nope", tool: "x") { isError } }');
    expect(errorOf(unknown)).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'serverId' });
    const forbidden = await request(app, 'mutation { callTool(serverId: "broken", tool: "x") { isError } }');
    expect(errorOf(forbidden).code).toBe('FORBIDDEN');
  });

  test('refreshDiscovery is limited to one call per second and connection without a token', async () => {
    const socketUrl = `${app.url.replace('http', 'ws')}/graphql`;
    await using one = await RawGraphqlWsClient.open({ socketUrl }, null);
    await using other = await RawGraphqlWsClient.open({ socketUrl }, null);
    // Both operations of one client run in parallel, because the first may take more than a second.
    for (const client of [one, other]) {
      await client.until(({ messages }) => messages.length > 0);
      for (const id of ['1', '2']) client.run(id, 'mutation { refreshDiscovery { totalAgents } }');
    }
    for (const client of [one, other]) {
      await client.until(() => client.of('1').length > 0 && client.of('2').length > 0);
      const answers = JSON.stringify([client.of('1')[0], client.of('2')[0]]);
      expect(answers.match(/"code":"RATE_LIMITED","retryAfterMs":\d+/g)).toHaveLength(1);
      expect(answers.match(/"totalAgents"/g)).toHaveLength(1);
    }
  });
});

describe('input validation', () => {
  test.each([
    ['an unknown enum value', 'subscription { agentUpdates(mode: FAST) { cursor } }', {}, 'mode'],
    ['an unknown enum value in a list', '{ agents(serverTypes: [NOPE]) { id } }', {}, 'serverTypes'],
    ['a wrong type', '{ agents(agentTypes: [3]) { id } }', {}, 'agentTypes'],
    [
      'an invalid value of a variable',
      'query ($types: [McpServerType!]) { servers(types: $types) { id } }',
      { types: ['X'] },
      'types',
    ],
    ['a missing argument', '{ agent { id } }', {}, undefined],
  ])(
    'returns equal BAD_USER_INPUT errors over HTTP and WebSocket for %s',
    async (_name, query, variables, argument) => {
      const http = await request(app, query, variables);
      expect(errorOf(http)).toMatchObject({ code: 'BAD_USER_INPUT', argument });
      if (argument !== undefined) expect(errorOf(http).message).toMatch(new RegExp(`argument "${argument}"`, 'i'));
      await using client = new SocketClient(app);
      using stream = client.subscribe(query, variables);
      await stream.ended().catch(() => undefined);
      const overSocket = { errors: stream.results[0]?.errors ?? stream.error } as GraphQLAnswer; // as the protocol says
      expect(errorOf(overSocket)).toEqual(errorOf(http));
    },
  );

  test.each([
    ['a malformed cursor', 'subscription { agentUpdates(after: "nonsense") { cursor } }', 'after'],
    [
      'a filter with too many entries',
      `subscription { agentUpdates(swarmIds: [${'"x:y",'.repeat(201)}]) { cursor } }`,
      'swarmIds',
    ],
  ])('returns BAD_USER_INPUT with the name of the argument for %s', async (_name, query, argument) => {
    await using client = new SocketClient(app);
    using stream = client.subscribe(query);
    await stream.ended();
    const answer = { errors: stream.results[0]?.errors ?? stream.error } as GraphQLAnswer; // as the protocol says
    expect(errorOf(answer)).toMatchObject({ code: 'BAD_USER_INPUT', argument });
  });

  const long = 'x'.repeat(601);
  const deep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as unknown;
  const call = (args: unknown): readonly [string, Record<string, unknown>] => [
    'mutation ($arguments: JSON) { callTool(serverId: "ruv-swarm", tool: "agent_spawn", arguments: $arguments) { isError } }',
    { arguments: args },
  ];
  test.each<[string, string, string, Record<string, unknown>]>([
    ['an id with control characters', 'id', 'query ($id: ID!) { agent(id: $id) { id } }', { id: 'a\u0000b' }],
    ['an id with a bidirectional override', 'id', 'query ($id: ID!) { server(id: $id) { id } }', { id: 'a\u202eb' }],
    ['an id that is too long', 'swarmId', 'query ($id: ID!) { topology(swarmId: $id) { swarmId } }', { id: long }],
    [
      'a filter that is too long',
      'agentTypes',
      'query ($t: [String!]) { agents(agentTypes: $t) { id } }',
      { t: [long] },
    ],
    [
      'a filter with line breaks',
      'swarmIds',
      'subscription ($ids: [ID!]) { agentUpdates(swarmIds: $ids) { cursor } }',
      { ids: ['a:b', 'a\nb'] },
    ],
    [
      'a filter of another stream with control characters',
      'swarmIds',
      'subscription ($ids: [ID!]) { topologyChanges(swarmIds: $ids) { swarmId } }',
      { ids: ['a\u009bb'] },
    ],
    [
      'a cursor that is too long',
      'after',
      'subscription ($after: ID) { agentUpdates(after: $after) { cursor } }',
      { after: 'x'.repeat(250_001) },
    ],
    [
      'a cursor with invalid characters',
      'after',
      'subscription ($after: ID) { agentUpdates(after: $after) { cursor } }',
      { after: 'WzFd\u0000' },
    ],
    [
      'too many servers',
      'serverIds',
      'mutation ($ids: [ID!]) { requestAgentUpdate(serverIds: $ids) { serverIds } }',
      { ids: new Array(201).fill('ruv-swarm') },
    ],
    [
      'a server with control characters',
      'serverId',
      'mutation ($id: ID!) { callTool(serverId: $id, tool: "x") { isError } }',
      { id: '\u001b[31m' },
    ],
    [
      'a tool that is too long',
      'tool',
      'mutation ($tool: String!) { callTool(serverId: "ruv-swarm", tool: $tool) { isError } }',
      { tool: long },
    ],
    ['tool arguments that are not an object', 'arguments', ...call([1])],
    ['tool arguments that are too deep', 'arguments', ...call(deep)],
    ['tool arguments with too many values', 'arguments', ...call({ a: new Array(10_001).fill(0) })],
    ['tool arguments with a string that is too long', 'arguments', ...call({ a: 'x'.repeat(65_537) })],
    ['tool arguments with control characters', 'arguments', ...call({ a: ['\u0007'] })],
    ['tool arguments with control characters in a key', 'arguments', ...call({ '\u0007': 1 })],
    ['tool arguments with a key that is too long', 'arguments', ...call({ [long]: 1 })],
    ['tool arguments with the key __proto__', 'arguments', ...call(JSON.parse('{"a":{"__proto__":{}}}'))],
    ['tool arguments with the key constructor', 'arguments', ...call({ a: [{ constructor: 1 }] })],
    [
      'tool arguments with the key __proto__ in the document',
      'arguments',
      'mutation { callTool(serverId: "ruv-swarm", tool: "agent_spawn", arguments: { __proto__: { a: 1 } }) { isError } }',
      {},
    ],
  ])(
    'rejects %s with equal BAD_USER_INPUT errors over WebSocket and HTTP',
    async (_name, argument, query, variables) => {
      await using client = new SocketClient(app);
      using stream = client.subscribe(query, variables);
      await stream.ended();
      const overSocket = { errors: stream.results[0]?.errors ?? stream.error } as GraphQLAnswer; // as the protocol says
      expect(errorOf(overSocket)).toMatchObject({ code: 'BAD_USER_INPUT', argument });
      expect(errorOf(overSocket).message).toMatch(new RegExp(`argument "${argument}"`, 'i'));
      expect(errorOf(overSocket).message.length).toBeLessThan(200);
      if (query.startsWith('subscription')) return;
      expect(errorOf(await request(app, query, variables))).toEqual(errorOf(overSocket));
    },
  );

  test('accepts line breaks, tabs and non-ASCII characters in tool arguments', async () => {
    const answer = await request(app, ...call({ type: 'coder', name: 'ünï', note: 'one\r\ntwo\tthree 🐝' }));
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.['callTool']).toEqual({ isError: false });
  });

  test('returns BAD_USER_INPUT when requestAgentUpdate names an unknown server', async () => {
    const answer = await request(
      app,
      'mutation { requestAgentUpdate(serverIds: ["ruv-swarm", "nope"]) { serverIds } }',
    );
    expect(errorOf(answer)).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'serverIds' });
  });

  test('returns BAD_USER_INPUT for a syntax error', async () => {
    expect(errorOf(await request(app, '{ agents { id ')).code).toBe('BAD_USER_INPUT');
  });

  test('closes the WebSocket with 4400 when connection_init has an invalid maxHz', async () => {
    await using client = new SocketClient(app, { maxHz: 'fast' });
    const closed = await new Promise<{ code: number; reason: string }>((resolve) => {
      client.client.on('closed', (event) => resolve(event as { code: number; reason: string })); // close event of ws
    });
    expect(closed.code).toBe(4400);
    expect(closed.reason).toContain('maxHz');
  });
});
