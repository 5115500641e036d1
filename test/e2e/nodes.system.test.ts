import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.js';
import type { Config } from '../../src/config/index.js';
import { parseRedisUrl, systemClock } from '../../src/shared/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import { simulated } from '../discovery/places.js';
import { request, serverConfig, SocketClient, startApp, testConfig } from '../support/app.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';

const here = hasRedis({ own: true });

function daa(port: number) {
  const endpoint = { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} } as const;
  return serverConfig('daa', [], { endpoint, allowTools: ['healthcheck'] });
}

/** @param leaseMs long enough that no slow machine loses a lease, unless a test waits for the end of one */
function onRedis(redis: RedisServer, leaseMs = 120_000): Partial<Config> {
  const bus = parseRedisUrl(redis.url);
  if (bus === null) throw new Error('no URL of a Redis');
  return { bus, busPrefix: 't', leaseMs, heartbeatMs: 200 };
}

/** In the order of their ids: another node has come to know them in another order. */
async function agents(app: App): Promise<readonly { readonly id: string; readonly stale: boolean }[]> {
  const { data } = await request(app, '{ agents { id stale } }');
  const list = data?.['agents'] as { id: string; stale: boolean }[]; // as it was asked for
  return list.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Resolves when it shows these agents. */
async function shows(app: App, expected: unknown): Promise<void> {
  let seen: unknown;
  const isShown = async (): Promise<boolean> => {
    seen = await agents(app);
    return isDeepStrictEqual(seen, expected);
  };
  await waitUntil(isShown, { state: () => seen });
}

async function connectedAt(app: App): Promise<unknown> {
  const { data } = await request(app, '{ server(id: "daa") { connectedAt stale } }');
  return data?.['server'];
}

const CALL = 'mutation Call($tool: String!) { callTool(serverId: "daa", tool: $tool) { isError content } }';

describe.skipIf(!here)(`two nodes on one Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('show one picture, whoever watches; a node that stops is followed, and no agent goes or is stale for that', async () => {
    await using server = await simulated('daa', 'http');
    await using redis = await RedisServer.start();
    await using first = await startApp([daa(server.port)], onRedis(redis));
    await using second = await startApp([daa(server.port)], onRedis(redis));
    const seen = await agents(first);
    expect(seen).toHaveLength(2);
    expect(await agents(second)).toEqual(seen);

    expect((await request(second, CALL, { tool: 'healthcheck' })).data?.['callTool']).toMatchObject({ isError: false });
    const refused = await request(second, CALL, { tool: 'stop_agent' });
    expect(refused.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
    const { data } = await request(second, 'mutation { requestAgentUpdate { serverIds unansweredServerIds } }');
    expect(data?.['requestAgentUpdate']).toEqual({ serverIds: ['daa'], unansweredServerIds: [] });

    await using client = new SocketClient(second);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    await stream.until((updates) => updates.length > 0);
    const before = await connectedAt(second);
    await first[Symbol.asyncDispose]();
    let after = before;
    const isFollowed = async (): Promise<boolean> => {
      after = await connectedAt(second);
      return !isDeepStrictEqual(after, before);
    };
    await waitUntil(isFollowed, { state: () => after });
    expect(after).toMatchObject({ stale: false });
    expect((await request(second, CALL, { tool: 'healthcheck' })).data?.['callTool']).toMatchObject({ isError: false });
    expect(await agents(second)).toEqual(seen);
    for (const { agentUpdates } of stream.data) {
      expect([agentUpdates.removedAgentIds, agentUpdates.staleServerIds]).toEqual([[], []]);
    }
  });

  test('follow a changed configuration, each on its own and whoever is first', async () => {
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
        await shows(app, []);
        expect((await request(app, '{ servers { id } }')).data?.['servers']).toEqual([]);
      }
      await earlier.applyConfig(one);
      await later.applyConfig(one);
      for (const app of [first, second]) await shows(app, seen);
    }
    const more = { ...daa(server.port), allowTools: ['healthcheck', 'list_agents'] };
    for (const app of [first, second]) await app.applyConfig({ ...one, servers: [more] });
    for (const app of [first, second]) {
      expect((await request(app, CALL, { tool: 'list_agents' })).data?.['callTool']).toMatchObject({ isError: false });
    }
  });

  test('serve on while Redis is away: the one that watches as always, the other one what it knows', async () => {
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
    await shows(
      second,
      seen.map(({ id }) => ({ id, stale: true })),
    );
    expect(await agents(first)).toEqual(seen);
    for (const { url } of [first, second]) expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});

test.skipIf(!here)('a node that has never reached Redis is not ready, says why, and is once it has', async () => {
  await using server = await simulated('daa', 'http');
  await using redis = await RedisServer.start();
  await redis.kill();
  await using app = await createApp(testConfig([daa(server.port)], onRedis(redis)), {
    clock: systemClock,
    logger: silentLogger,
  });
  const refused = await fetch(`${app.url}/readyz`);
  expect([refused.status, await refused.text()]).toEqual([
    503,
    expect.stringMatching(new RegExp(`^Redis at 127\\.0\\.0\\.1:${redis.port}`)),
  ]);
  await redis.restart();
  await app.discovered;
  expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  expect(await agents(app)).toHaveLength(2);
});
