import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/app/create-app.js';
import { request, simulator, SocketClient, startApp, StreamedState, type WireUpdate } from '../support/app.js';

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

describe('agentUpdates filters', () => {
  test('select the agents of all servers by default', async () => {
    const update = await snapshot({});
    expect(update.kind).toBe('SNAPSHOT');
    expect(new Set(update.agents.map(({ serverId }) => serverId))).toEqual(
      new Set(['claude-flow', 'ruv-swarm', 'daa']),
    );
    expect(update.patches).toEqual([]);
    expect(update.removedAgentIds).toEqual([]);
    expect(update.agents.every(({ simulated }) => simulated === true)).toBe(true);
  });

  test('serverTypes selects the agents of these server types', async () => {
    const { agents } = await snapshot({ serverTypes: ['DAA'] });
    expect(agents.length).toBeGreaterThan(0);
    expect(new Set(agents.map(({ serverType }) => serverType))).toEqual(new Set(['DAA']));
    // claude-flow also reports DAA agents.
    expect(new Set(agents.map(({ serverId }) => serverId))).toEqual(new Set(['claude-flow', 'daa']));
  });

  test('agentTypes selects the agents of these types case-insensitively', async () => {
    const { agents } = await snapshot({ agentTypes: ['QUEEN'] });
    expect(agents.map(({ type }) => type)).toEqual(['queen']);
  });

  test('swarmIds selects the agents of these swarms and ignores unknown swarms', async () => {
    const all = (await snapshot({})).agents as readonly WireAgent[];
    const swarmId = all.find((agent) => agent.swarmId?.startsWith('ruv-swarm:') === true)?.swarmId;
    const { agents } = await snapshot({ swarmIds: [swarmId, 'ruv-swarm:not-there-yet'] });
    expect(agents.length).toBeGreaterThan(0);
    expect(new Set(agents.map((agent) => agent['swarmId']))).toEqual(new Set([swarmId]));
  });

  test('select only agents that match all filters, and no agents if a filter is empty', async () => {
    const { agents } = await snapshot({ serverTypes: ['CLAUDE_FLOW', 'DAA'], agentTypes: ['queen'] });
    expect(agents.every(({ serverType, type }) => serverType === 'CLAUDE_FLOW' && type === 'queen')).toBe(true);
    for (const empty of [{ serverTypes: [] }, { agentTypes: [] }, { swarmIds: [] }]) {
      expect((await snapshot(empty)).agents).toEqual([]);
    }
  });

  test('include flags set excluded parts of agents and updates to null', async () => {
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

describe('agentUpdates modes', () => {
  test('ON_DEMAND sends a delta only after requestAgentUpdate', async () => {
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

describe('agentUpdates with several subscriptions', () => {
  test('sends a delta instead of a snapshot when a client changes its filters with `after`', async () => {
    await using client = new SocketClient(app);
    const state = new StreamedState();
    let cursor: string | undefined;
    {
      using stream = client.watchAgents({ serverTypes: ['RUV_SWARM'] });
      for (const update of await stream.until(({ length }) => length >= 3)) {
        state.apply(update);
        cursor = update.agentUpdates.cursor;
      }
    }
    using stream = client.watchAgents({ serverTypes: ['DAA'], after: cursor });
    const [first] = await stream.until(({ length }) => length >= 1);
    if (first === undefined) throw new Error('no update');
    expect(first.agentUpdates.kind).toBe('DELTA');
    const before = [...state.whole.keys()];
    state.apply(first);
    expect(first.agentUpdates.removedAgentIds).toEqual(expect.arrayContaining(before));
    expect(new Set([...state.whole.values()].map((agent) => agent['serverType']))).toEqual(new Set(['DAA']));
  });

  test('sends the delta of changed filters immediately in mode ON_DEMAND', async () => {
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

  test('sends each of two sockets only the agents of its own filters', async () => {
    await using one = new SocketClient(app);
    await using other = new SocketClient(app);
    using ruv = one.watchAgents({ serverTypes: ['RUV_SWARM'] });
    using flow = other.watchAgents({ serverTypes: ['CLAUDE_FLOW'] });
    await Promise.all([ruv, flow].map((stream) => stream.until(({ length }) => length >= 5)));
    const serverTypes = (stream: typeof ruv): Set<unknown> =>
      new Set(stream.data.flatMap(({ agentUpdates }) => agentUpdates.agents.map(({ serverType }) => serverType)));
    expect(serverTypes(ruv)).toEqual(new Set(['RUV_SWARM']));
    expect(serverTypes(flow)).toEqual(new Set(['CLAUDE_FLOW']));
  });
});
