import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.js';
import { request, simulator, SocketClient, startApp, WirePicture, type WireUpdate } from '../support/app.js';

let app: App;

beforeAll(async () => {
  app = await startApp([
    simulator('claude-flow', { hz: 30 }),
    simulator('ruv-swarm', { hz: 30 }),
    simulator('daa', { hz: 30 }),
  ]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface WireAgent extends Record<string, unknown> {
  readonly id: string;
  readonly serverType: string;
  readonly type: string;
  readonly swarmId: string | null;
}

async function snapshot(variables: Record<string, unknown>): Promise<WireUpdate['agentUpdates']> {
  await using client = new SocketClient(app);
  using stream = client.watchAgents(variables);
  const [first] = await stream.until((updates) => updates.length > 0);
  if (first === undefined) throw new Error('no update');
  return first.agentUpdates;
}

describe('agentUpdates: filters', () => {
  test('without filters: a snapshot of the agents of all servers', async () => {
    const update = await snapshot({});
    expect(update.kind).toBe('SNAPSHOT');
    expect(new Set(update.agents.map(({ serverId }) => serverId))).toEqual(
      new Set(['claude-flow', 'ruv-swarm', 'daa']),
    );
    expect(update.patches).toEqual([]);
    expect(update.removedAgentIds).toEqual([]);
    expect(update.agents.every(({ simulated }) => simulated === true)).toBe(true);
  });

  test('serverTypes: only agents that these families reported', async () => {
    const { agents } = await snapshot({ serverTypes: ['DAA'] });
    expect(agents.length).toBeGreaterThan(0);
    expect(new Set(agents.map(({ serverType }) => serverType))).toEqual(new Set(['DAA']));
    // The DAA agents inside claude-flow are among them.
    expect(new Set(agents.map(({ serverId }) => serverId))).toEqual(new Set(['claude-flow', 'daa']));
  });

  test('agentTypes: only agents of these types, in any case', async () => {
    const { agents } = await snapshot({ agentTypes: ['QUEEN'] });
    expect(agents.map(({ type }) => type)).toEqual(['queen']);
  });

  test('swarmIds: only agents of these swarms; an unknown swarm is no error', async () => {
    const all = (await snapshot({})).agents as readonly WireAgent[];
    const swarmId = all.find((agent) => agent.swarmId?.startsWith('ruv-swarm:') === true)?.swarmId;
    const { agents } = await snapshot({ swarmIds: [swarmId, 'ruv-swarm:not-there-yet'] });
    expect(agents.length).toBeGreaterThan(0);
    expect(new Set(agents.map((agent) => agent['swarmId']))).toEqual(new Set([swarmId]));
  });

  test('several filters are a conjunction; an empty one lets nothing through', async () => {
    const { agents } = await snapshot({ serverTypes: ['CLAUDE_FLOW', 'DAA'], agentTypes: ['queen'] });
    expect(agents.every(({ serverType, type }) => serverType === 'CLAUDE_FLOW' && type === 'queen')).toBe(true);
    for (const empty of [{ serverTypes: [] }, { agentTypes: [] }, { swarmIds: [] }]) {
      expect((await snapshot(empty)).agents).toEqual([]);
    }
  });

  test('include switches: what is left out is null, in agents and in the update', async () => {
    const bare = await snapshot({ includePerformance: false, includeNeural: false, includeTopology: false });
    expect(bare.performanceMetrics).toBeNull();
    expect(bare.topologyChanges).toBeNull();
    for (const agent of bare.agents) expect(agent).toMatchObject({ performance: null, neural: null, topology: null });
    const full = await snapshot({});
    expect(full.performanceMetrics).toMatchObject({ totalAgents: full.agents.length });
    expect(full.topologyChanges?.length).toBeGreaterThan(0);
    expect(full.agents.some(({ performance }) => performance !== null)).toBe(true);
    expect(full.agents.some(({ neural }) => neural !== null)).toBe(true);
    expect(full.agents.some(({ topology }) => topology !== null)).toBe(true);
  });
});

describe('agentUpdates: modes', () => {
  test('ON_DEMAND: nothing after the snapshot until somebody asks', async () => {
    await using client = new SocketClient(app);
    using demand = client.watchAgents({ mode: 'ON_DEMAND' });
    using running = client.watchAgents({ mode: 'NORMAL' });
    await running.until(({ length }) => length >= 5);
    expect(demand.data.map(({ agentUpdates }) => agentUpdates.kind)).toEqual(['SNAPSHOT']);
    const answer = await request(app, 'mutation { requestAgentUpdate { serverIds unansweredServerIds } }');
    expect(answer.data).toEqual({
      requestAgentUpdate: { serverIds: ['claude-flow', 'ruv-swarm', 'daa'], unansweredServerIds: [] },
    });
    await demand.until(({ length }) => length === 2);
    expect(demand.data[1]?.agentUpdates.kind).toBe('DELTA');
  });
});

describe('agentUpdates: one socket, many subscriptions', () => {
  test('filters change on one socket with `after`: what entered and left the view is told, not a new snapshot', async () => {
    await using client = new SocketClient(app);
    const picture = new WirePicture();
    let cursor: string | undefined;
    {
      using stream = client.watchAgents({ serverTypes: ['RUV_SWARM'] });
      for (const update of await stream.until(({ length }) => length >= 3)) {
        picture.apply(update);
        cursor = update.agentUpdates.cursor;
      }
    }
    using stream = client.watchAgents({ serverTypes: ['DAA'], after: cursor });
    const [first] = await stream.until(({ length }) => length >= 1);
    if (first === undefined) throw new Error('no update');
    expect(first.agentUpdates.kind).toBe('DELTA');
    const before = [...picture.whole.keys()];
    picture.apply(first);
    expect(first.agentUpdates.removedAgentIds).toEqual(expect.arrayContaining(before));
    expect(new Set([...picture.whole.values()].map((agent) => agent['serverType']))).toEqual(new Set(['DAA']));
  });

  test('ON_DEMAND with other filters and `after`: what entered and left the view is told at once', async () => {
    await using client = new SocketClient(app);
    let cursor: string | undefined;
    {
      using stream = client.watchAgents({ serverTypes: ['RUV_SWARM'], mode: 'ON_DEMAND' });
      cursor = (await stream.until(({ length }) => length >= 1))[0]?.agentUpdates.cursor;
    }
    const variables = { serverTypes: ['DAA'], mode: 'ON_DEMAND', after: cursor };
    using stream = client.watchAgents(variables);
    const [first] = await stream.until(({ length }) => length >= 1);
    expect(first?.agentUpdates.kind).toBe('DELTA');
    expect(first?.agentUpdates.agents.length).toBeGreaterThan(0);
    expect(first?.agentUpdates.removedAgentIds.length).toBeGreaterThan(0);
  });

  test('two sockets with different filters each see their own', async () => {
    await using one = new SocketClient(app);
    await using other = new SocketClient(app);
    using ruv = one.watchAgents({ serverTypes: ['RUV_SWARM'] });
    using flow = other.watchAgents({ serverTypes: ['CLAUDE_FLOW'] });
    await Promise.all([ruv, flow].map((stream) => stream.until(({ length }) => length >= 5)));
    const families = (stream: typeof ruv): Set<unknown> =>
      new Set(stream.data.flatMap(({ agentUpdates }) => agentUpdates.agents.map(({ serverType }) => serverType)));
    expect(families(ruv)).toEqual(new Set(['RUV_SWARM']));
    expect(families(flow)).toEqual(new Set(['CLAUDE_FLOW']));
  });
});
