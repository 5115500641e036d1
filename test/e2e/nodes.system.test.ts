import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app/create-app.js';
import type { Config } from '../../src/config/index.js';
import { parseRedisUrl, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { simulated } from '../upstream/discovery/listeners.js';
import { request, serverConfig, SocketClient, startApp, testConfig } from '../support/app.js';
import { BUS_KEY } from '../cluster/test-node.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';

const here = hasRedis({ own: true });

function daa(port: number) {
  const endpoint = { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} } as const;
  return serverConfig('daa', [], { endpoint, allowTools: ['healthcheck'] });
}

/** @param leaseMs lease duration in milliseconds. The default is so long that no lease expires on a slow machine. */
function onRedis(redis: RedisServer, leaseMs = 120_000): Partial<Config> {
  const bus = parseRedisUrl(redis.url);
  if (bus === null) throw new Error('no URL of a Redis');
  return { bus, busPrefix: 't', busKeys: [BUS_KEY], leaseMs, heartbeatMs: 200 };
}

/** Returns the agents sorted by id, because the order differs between nodes. */
async function agents(app: App): Promise<readonly { readonly id: string; readonly stale: boolean }[]> {
  const { data } = await request(app, '{ agents { id stale } }');
  const list = data?.['agents'] as { id: string; stale: boolean }[]; // as selected
  return list.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Resolves when the node returns these agents. */
async function untilAgentsAre(app: App, expected: unknown): Promise<void> {
  let seen: unknown;
  const isEqual = async (): Promise<boolean> => {
    seen = await agents(app);
    return isDeepStrictEqual(seen, expected);
  };
  await waitUntil(isEqual, { state: () => seen });
}

async function connectedAt(app: App): Promise<unknown> {
  const { data } = await request(app, '{ server(id: "daa") { connectedAt stale } }');
  return data?.['server'];
}

const CALL = 'mutation Call($tool: String!) { callTool(serverId: "daa", tool: $tool) { isError content } }';

describe.skipIf(!here)(`two nodes on one Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('take over the servers of a node that shuts down without removed or stale agents', async () => {
    await using server = await simulated('daa', 'http');
    await using redis = await RedisServer.start();
    await using first = await startApp([daa(server.port)], onRedis(redis));
    await using second = await startApp([daa(server.port)], onRedis(redis));
    const seen = await agents(first);
    expect(seen).toHaveLength(2);
    expect(await agents(second)).toEqual(seen);

    expect((await request(second, CALL, { tool: 'healthcheck' })).data?.['callTool']).toMatchObject({ isError: false });
    const rejected = await request(second, CALL, { tool: 'stop_agent' });
    expect(rejected.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
    const { data } = await request(second, 'mutation { requestAgentUpdate { serverIds unansweredServerIds } }');
    expect(data?.['requestAgentUpdate']).toEqual({ serverIds: ['daa'], unansweredServerIds: [] });

    await using client = new SocketClient(second);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until((updates) => updates.length > 0);
    const before = await connectedAt(second);
    await first[Symbol.asyncDispose]();
    let after = before;
    const isTakenOver = async (): Promise<boolean> => {
      after = await connectedAt(second);
      return !isDeepStrictEqual(after, before);
    };
    await waitUntil(isTakenOver, { state: () => after });
    expect(after).toMatchObject({ stale: false });
    expect((await request(second, CALL, { tool: 'healthcheck' })).data?.['callTool']).toMatchObject({ isError: false });
    expect(await agents(second)).toEqual(seen);
    for (const { agentUpdates } of stream.data) {
      expect([agentUpdates.removedAgentIds, agentUpdates.staleServerIds]).toEqual([[], []]);
    }
  });

  test('apply a changed configuration in any order', async () => {
    await using server = await simulated('daa', 'http');
    await using redis = await RedisServer.start();
    const [none, one] = [[], [daa(server.port)]].map((servers) => testConfig(servers, onRedis(redis)));
    if (none === undefined || one === undefined) throw new Error('two');
    await using first = await startApp(one.servers, onRedis(redis));
    await using second = await startApp(one.servers, onRedis(redis));
    const seen = await agents(first);
    for (const [earlier, later] of [
      [second, first],
      [first, second],
    ] as const) {
      await earlier.applyConfig(none);
      await later.applyConfig(none);
      for (const app of [first, second]) {
        await untilAgentsAre(app, []);
        expect((await request(app, '{ servers { id } }')).data?.['servers']).toEqual([]);
      }
      await earlier.applyConfig(one);
      await later.applyConfig(one);
      for (const app of [first, second]) await untilAgentsAre(app, seen);
    }
    const more = { ...daa(server.port), allowTools: ['healthcheck', 'list_agents'] };
    for (const app of [first, second]) await app.applyConfig({ ...one, servers: [more] });
    for (const app of [first, second]) {
      expect((await request(app, CALL, { tool: 'list_agents' })).data?.['callTool']).toMatchObject({ isError: false });
    }
  });

  test('keep serving while Redis is down, the owner fresh agents and the other node stale ones', async () => {
    await using server = await simulated('daa', 'http');
    await using redis = await RedisServer.start();
    await using first = await startApp([daa(server.port)], onRedis(redis, 1_000));
    await using second = await startApp([daa(server.port)], onRedis(redis, 1_000));
    const seen = await agents(first);
    await redis.kill();
    let answer = await request(second, CALL, { tool: 'healthcheck' });
    const isRefused = async (): Promise<boolean> => {
      answer = await request(second, CALL, { tool: 'healthcheck' });
      return answer.errors !== undefined;
    };
    await waitUntil(isRefused, { state: () => answer });
    expect(answer.errors?.[0]?.extensions?.['code']).toBe('SERVER_UNAVAILABLE');
    expect((await request(first, CALL, { tool: 'healthcheck' })).data?.['callTool']).toMatchObject({ isError: false });
    await untilAgentsAre(
      second,
      seen.map(({ id }) => ({ id, stale: true })),
    );
    expect(await agents(first)).toEqual(seen);
    for (const app of [first, second]) await untilReadinessIs(app, '503 redis-unavailable');
    await redis.restart();
    for (const app of [first, second]) await untilReadinessIs(app, '200 ready');
  });
});

/** Resolves when `/readyz` answers with this status and text. */
async function untilReadinessIs({ url }: App, expected: string): Promise<void> {
  let seen = '';
  const isEqual = async (): Promise<boolean> => {
    const response = await fetch(`${url}/readyz`);
    seen = `${response.status} ${(await response.text()).trim()}`;
    return seen === expected;
  };
  await waitUntil(isEqual, { state: () => seen });
}

test.skipIf(!here).each([1, 0])(
  '/readyz returns 503 without an address while Redis is unreachable, and health explains it (servers: %d)',
  async (count) => {
    await using server = await simulated('daa', 'http');
    await using redis = await RedisServer.start();
    await redis.kill();
    const config = testConfig(count === 0 ? [] : [daa(server.port)], onRedis(redis));
    await using app = await createApp(config, { clock: systemClock, logger: silentLogger });
    const readiness = async (): Promise<unknown> =>
      (await request(app, '{ health { readiness { ready reason detail } } }')).data?.['health'];
    await untilReadinessIs(app, '503 redis-unavailable');
    const detail = expect.stringMatching(new RegExp(`^Redis at 127\\.0\\.0\\.1:${redis.port}: `)) as unknown;
    expect(await readiness()).toEqual({ readiness: { ready: false, reason: 'redis-unavailable', detail } });
    await redis.restart();
    await app.discovered;
    await untilReadinessIs(app, '200 ready');
    expect(await readiness()).toEqual({ readiness: { ready: true, reason: null, detail: null } });
    await redis.kill();
    await untilReadinessIs(app, '503 redis-unavailable');
    await redis.restart();
    await untilReadinessIs(app, '200 ready');
  },
);
