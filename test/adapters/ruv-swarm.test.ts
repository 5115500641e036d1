import { expect, test } from 'vitest';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { agentIn, recorded, rigOf, RUV_ANSWERS } from './fake-server.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

const FULL = 'swarm-1795447692885';
const EMPTY = 'swarm-1795447692907';

/** Recording of one swarm with seven agents and two completed tasks. */
const BUSY_ANSWERS = {
  memory_usage: recorded('ruv-swarm', 'memory_usage'),
  agent_list: recorded('ruv-swarm', 'agent_list'),
  swarm_status: recorded('ruv-swarm', 'swarm_status'),
  task_status: recorded('ruv-swarm', 'task_status.done'),
};

test('RuvSwarmAdapter reports the values of the server, and null for all others', async () => {
  const report = await rigOf('RUV_SWARM', BUSY_ANSWERS).poll();

  expect(agentIn(report, 'agent-1795446110466')).toEqual({
    nativeId: 'agent-1795446110466',
    serverType: 'RUV_SWARM',
    swarmNativeId: 'swarm-1795446110464',
    name: 'researcher-0',
    type: 'researcher',
    status: 'IDLE',
    capabilities: ['a', 'b'],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: { ...UNKNOWN_PERFORMANCE, tasksActive: 0, tasksCompleted: 2, tasksFailed: 0 },
    neural: { cognitivePattern: 'adaptive', networkId: 'nn-1795446110466', adaptations: null, learningRate: null },
    role: null,
    createdAt: null,
    lastActiveAt: null,
    stale: false,
  });
  expect(agentIn(report, 'agent-1795446110473').performance).toMatchObject({ tasksActive: 0, tasksCompleted: 1 });
  expect(report.agents).toHaveLength(7);
  expect(report.failures).toEqual([]);
});

test('RuvSwarmAdapter reports the task counts of a swarm and no topology', async () => {
  const report = await rigOf('RUV_SWARM', BUSY_ANSWERS).poll();

  expect(report.swarms).toEqual([
    {
      nativeId: 'swarm-1795446110464',
      serverType: 'RUV_SWARM',
      name: null,
      status: null,
      topologyName: null,
      strategy: null,
      maxAgents: null,
      tasksTotal: 2,
      tasksActive: 0,
      tasksCompleted: 2,
      createdAt: null,
      stale: false,
    },
  ]);
  expect(report.edges).toEqual([]);
});

test('SwarmMembers lists the members of each swarm with agents', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  const report = await rig.poll();

  expect(report.swarms.map((swarm) => swarm.nativeId)).toEqual([FULL, EMPTY]);
  expect(report.agents.map((agent) => agent.swarmNativeId)).toEqual([FULL, FULL]);
  const lists = rig.server.calls.filter((call) => call.tool === 'agent_list').map((call) => call.args);
  expect(lists).toEqual([{}, { swarmId: FULL }]);
});

test('SwarmMembers refreshes at most once per second without new agents', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  for (let poll = 0; poll < 60; poll += 1) {
    await rig.poll();
    rig.clock.advance(1000 / 60);
  }

  const lists = rig.server.calls.filter((call) => call.tool === 'agent_list');
  expect(lists.filter((call) => call.args['swarmId'] === undefined)).toHaveLength(60);
  expect(lists.filter((call) => call.args['swarmId'] === FULL)).toHaveLength(1);
  expect(rig.server.timesAsked('swarm_status')).toBe(10);
  expect(rig.server.timesAsked('task_status')).toBe(10);
});

test('SwarmMembers assigns a new agent to a new swarm within one poll', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  await rig.poll();
  const born = { id: 'agent-9', name: 'nine', type: 'coder', status: 'busy' };
  rig.server.answers.set('agent_list', (args: Readonly<Record<string, unknown>>) =>
    args['swarmId'] === undefined || args['swarmId'] === 'swarm-9' ? { agents: [born] } : { agents: [] },
  );
  rig.server.answers.set('swarm_status', { swarms: [{ id: 'swarm-9', status: { agents: { total: 1 } } }] });
  rig.clock.advance(17);
  const report = await rig.poll();

  expect(agentIn(report, 'agent-9')).toMatchObject({ swarmNativeId: 'swarm-9', status: 'BUSY' });
  expect(report.swarms.map((swarm) => swarm.nativeId)).toEqual(['swarm-9']);
});

test('SwarmMembers assigns a new agent to a known swarm within one poll', async () => {
  const agents = [{ id: 'a1' }];
  const rig = rigOf('RUV_SWARM', { agent_list: () => ({ agents }), swarm_status: { swarms: [{ id: 'a' }] } });
  await rig.poll();
  agents.push({ id: 'a2' });
  rig.clock.advance(17);

  expect(agentIn(await rig.poll(), 'a2').swarmNativeId).toBe('a');
});

test('SwarmMembers refreshes earlier when an agent has no swarm', async () => {
  let members: readonly { id: string }[] = [];
  const rig = rigOf('RUV_SWARM', {
    agent_list: ({ swarmId }: Readonly<Record<string, unknown>>) => ({
      agents: swarmId === undefined ? [{ id: 'a1' }] : members,
    }),
    swarm_status: { swarms: [{ id: 'a' }] },
  });
  expect(agentIn(await rig.poll(), 'a1').swarmNativeId).toBeNull();
  members = [{ id: 'a1' }];
  rig.clock.advance(100);

  expect(agentIn(await rig.poll(), 'a1').swarmNativeId).toBe('a');
});

test('RuvSwarmAdapter does not request members while the agent list fails', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  await rig.poll();
  rig.server.answers.set('agent_list', recorded('ruv-swarm', 'agent_spawn.noswarm-error'));
  rig.clock.advance(2000);
  const report = await rig.poll();

  expect(rig.server.calls.filter((call) => call.args['swarmId'] !== undefined)).toHaveLength(1);
  expect(report.agents.map((agent) => [agent.stale, agent.swarmNativeId])).toEqual([
    [true, FULL],
    [true, FULL],
  ]);
});

test('RuvSwarmAdapter calls memory_usage once before the first swarm_status', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  rig.server.answers.set('swarm_status', () =>
    rig.server.timesAsked('memory_usage') === 0
      ? recorded('ruv-swarm', 'swarm_status.empty')
      : RUV_ANSWERS.swarm_status,
  );
  const first = await rig.poll();
  rig.clock.advance(1000);
  await rig.poll();

  expect(first.failures).toEqual([]);
  expect(rig.server.timesAsked('memory_usage')).toBe(1);
  expect(rig.server.timesAsked('swarm_status')).toBe(2);
});

test('RuvSwarmAdapter reports agents and the failure when swarm_status fails', async () => {
  const failing = recorded('ruv-swarm', 'swarm_status.empty');
  const report = await rigOf('RUV_SWARM', { ...RUV_ANSWERS, swarm_status: failing }).poll();

  expect(report.agents.map((agent) => agent.swarmNativeId)).toEqual([null, null]);
  expect(report.failures).toEqual([
    { tool: 'swarm_status', message: "MCP tool error: Cannot read properties of null (reading 'getGlobalMetrics')" },
  ]);
});

test('RuvSwarmAdapter leaves only the members of a failing swarm unknown', async () => {
  const rig = rigOf('RUV_SWARM', RUV_ANSWERS);
  const both = { agents: [{ id: 'a1' }, { id: 'b1' }] };
  rig.server.answers.set('swarm_status', { swarms: [{ id: 'a' }, { id: 'b' }] });
  rig.server.answers.set('agent_list', ({ swarmId }: Readonly<Record<string, unknown>>) => {
    if (swarmId === 'b') return recorded('ruv-swarm', 'agent_spawn.noswarm-error');
    return swarmId === 'a' ? { agents: [{ id: 'a1' }] } : both;
  });
  const report = await rig.poll();

  expect(report.agents.map((agent) => [agent.nativeId, agent.swarmNativeId, agent.stale])).toEqual([
    ['a1', 'a', false],
    ['b1', null, false],
  ]);
  expect(report.failures.map((failure) => failure.tool)).toEqual(['agent_list']);
});

test('RuvSwarmAdapter never calls tools with invented values and omits invented values', async () => {
  const rig = rigOf('RUV_SWARM', {
    ...BUSY_ANSWERS,
    agent_metrics: recorded('ruv-swarm', 'agent_metrics.empty'),
    swarm_monitor: recorded('ruv-swarm', 'swarm_monitor.empty'),
    neural_status: recorded('ruv-swarm', 'neural_status.one'),
    daa_learning_status: recorded('ruv-swarm', 'daa_learning_status.detailed'),
  });
  const report = await rig.poll();

  const asked = new Set(rig.server.calls.map((call) => call.tool));
  expect(asked).toEqual(new Set(['agent_list', 'memory_usage', 'swarm_status', 'task_status']));
  // Memory of the WebAssembly module in megabytes and bytes, and sizes of its parts.
  const numbers =
    JSON.stringify(report)
      .match(/(?<=:)-?\d+(?:\.\d+)?/g)
      ?.map(Number) ?? [];
  for (const invented of [48, 50_331_648, 524_288, 5, 0.95, 0.78, 0.12, 0.15]) expect(numbers).not.toContain(invented);
});
