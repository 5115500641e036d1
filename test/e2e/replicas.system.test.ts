import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { type RunningSimulator, runSimulator, SIMULATOR_DEFAULTS } from '../../src/simulator/index.js';
import { request, serverConfig, SocketClient, startApp, WirePicture, type WireUpdate } from '../support/app.js';
import { ManualClock } from '../support/manual-clock.js';

interface Replica extends RunningSimulator {
  readonly port: number;
}

/** Time stands still there: two of one seed are two doors to one state, as those of claude-flow are. */
async function door(type: 'claude-flow' | 'daa', { port = 0, seed = 1, agents = 8 } = {}): Promise<Replica> {
  const clock = new ManualClock();
  const options = { ...SIMULATOR_DEFAULTS, type, transport: 'http', port, agents, seed, hz: 0, clock } as const;
  const running = await runSimulator(options, { stdin: process.stdin, stdout: process.stdout });
  return Object.assign(running, { port: Number(new URL(running.url ?? '').port) });
}

function twoDoors(first: Replica, second: Replica, overrides: Partial<ServerConfig> = {}): ServerConfig {
  const endpointAt = ({ port }: Replica): ServerConfig['endpoint'] => {
    return { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} };
  };
  return {
    ...serverConfig('s', []),
    endpoint: endpointAt(first),
    replicas: [endpointAt(second)],
    restart: { initialMs: 50, maxMs: 200 },
    ...overrides,
  };
}

interface Health {
  readonly healthChanges: {
    readonly replicaId: string | null;
    readonly previousStatus: string;
    readonly status: string;
  };
}

const HEALTH = 'subscription { healthChanges { replicaId previousStatus status } }';
const NOTICES = 'subscription { notices { code message } }';
const REPLICAS = `{ server(id: "s") { status stale staleSince lastError toolHealth { name calls failures latency { p50Ms } }
  replicas { id status inUse inFlight restarts lastError circuitBreaker { state } latency { p50Ms } } } }`;

function pictureOf(updates: readonly WireUpdate[]): WirePicture {
  const picture = new WirePicture();
  for (const update of updates) picture.apply(update);
  return picture;
}

function idsOf(updates: readonly WireUpdate[]): string[] {
  return [...pictureOf(updates).whole.keys()].sort();
}

describe('two replicas of one server', () => {
  test('with one state: when one is killed nobody sees it in the agents; when it is back it is used again', async () => {
    const first = await door('claude-flow');
    await using second = await door('claude-flow');
    await using app = await startApp([twoDoors(first, second)]);
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    using health = client.subscribe<Health>(HEALTH);
    await stream.until(({ length }) => length >= 1);
    const before = idsOf(stream.data);
    expect(before.length).toBeGreaterThan(0);
    expect((await request(app, REPLICAS)).data).toMatchObject({
      server: {
        status: 'ONLINE',
        staleSince: null,
        replicas: [
          { id: 's', status: 'ONLINE', inUse: true },
          { id: 's#2', status: 'ONLINE', inUse: true },
        ],
        toolHealth: expect.arrayContaining([expect.objectContaining({ name: 'agent_list', failures: 0 })]),
      },
    });

    await first[Symbol.asyncDispose]();
    await health.until((changes) =>
      changes.some(({ healthChanges: { replicaId, status } }) => replicaId === 's' && status !== 'ONLINE'),
    );
    // A whole poll after that.
    expect((await request(app, 'mutation { requestAgentUpdate { serverIds } }')).data).toEqual({
      requestAgentUpdate: { serverIds: ['s'] },
    });
    expect((await request(app, REPLICAS)).data).toMatchObject({
      server: { status: 'DEGRADED', stale: false, lastError: expect.stringMatching(/^s: /) },
    });

    await using _back = await door('claude-flow', { port: first.port });
    await health.until((changes) => {
      const ofFirst = changes.filter(({ healthChanges: { replicaId } }) => replicaId === 's');
      return ofFirst.at(-1)?.healthChanges.status === 'ONLINE';
    });
    await health.until((changes) => {
      const ofServer = changes.filter(({ healthChanges: { replicaId } }) => replicaId === null);
      return ofServer.at(-1)?.healthChanges.status === 'ONLINE';
    });
    expect((await request(app, REPLICAS)).data).toMatchObject({
      server: {
        status: 'ONLINE',
        lastError: null,
        replicas: [
          { inUse: true, restarts: 1 },
          { inUse: true, restarts: 0 },
        ],
      },
    });
    // Over all that: no agent was stale, none was removed, none came twice.
    expect(
      stream.data.flatMap(({ agentUpdates: { staleServerIds, removedAgentIds } }) => [
        ...staleServerIds,
        ...removedAgentIds,
      ]),
    ).toEqual([]);
    expect(stream.data.some(({ agentUpdates: { agents } }) => agents.some((agent) => agent['stale'] === true))).toBe(
      false,
    );
    expect(idsOf(stream.data)).toEqual(before);
  });

  test('each with a state of its own: the other stands in with the right removals, and stays when the first is back', async () => {
    const first = await door('daa', { seed: 1, agents: 5 });
    await using second = await door('daa', { seed: 2, agents: 3 });
    await using app = await startApp([twoDoors(first, second)]);
    await using client = new SocketClient(app);
    using stream = client.watchAgents({ mode: 'HIGH_FREQUENCY' });
    using health = client.subscribe<Health>(HEALTH);
    using notices = client.subscribe<{ notices: { code: string; message: string } }>(NOTICES);
    await stream.until(({ length }) => length >= 1);
    const before = idsOf(stream.data);
    const { data } = await request(app, REPLICAS);
    // The query above names these fields.
    const used = (data?.['server'] as { replicas: { inUse: boolean }[] }).replicas.findIndex(({ inUse }) => inUse);
    const [gone, other] = used === 0 ? [first, second] : [second, first];
    await gone[Symbol.asyncDispose]();
    await stream.until((updates) => updates.some(({ agentUpdates }) => agentUpdates.removedAgentIds.length > 0));
    const after = idsOf(stream.data);
    expect(after.some((id) => before.includes(id))).toBe(false);
    const removed = stream.data.flatMap(({ agentUpdates }) => agentUpdates.removedAgentIds);
    expect([...removed].sort()).toEqual(before);
    await notices.until((all) => all.some(({ notices: { code } }) => code === 'SERVER_FAILOVER'));
    expect(stream.data.flatMap(({ agentUpdates }) => agentUpdates.staleServerIds)).toEqual([]);

    await using _back = await door('daa', { port: gone.port, seed: 9 });
    await health.until((changes) => {
      const ofServer = changes.filter(({ healthChanges: { replicaId } }) => replicaId === null);
      return ofServer.at(-1)?.healthChanges.status === 'ONLINE';
    });
    await request(app, 'mutation { requestAgentUpdate { serverIds } }');
    expect(idsOf(stream.data)).toEqual(after);
    await other[Symbol.asyncDispose]();
  });
});
