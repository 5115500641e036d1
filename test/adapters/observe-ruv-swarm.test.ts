import { expect, test } from 'vitest';
import { agentIn, recorded, recordedCall, RUV_ANSWERS } from './fake-server.js';
import { callOf, idsIn, polled, seen } from './observed-calls.js';

const FULL = 'swarm-1795447692885';

test('agent_spawn adds the agent to the swarm in the result', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  const report = seen(rig, recordedCall('ruv-swarm', 'agent_spawn.1'));

  expect(agentIn(report, 'agent-1795446110467')).toMatchObject({
    swarmNativeId: 'swarm-1795446110464',
    name: 'coder-1',
    type: 'coder',
    status: 'IDLE',
    capabilities: ['a', 'b'],
    neural: { cognitivePattern: 'adaptive', networkId: 'nn-1795446110467' },
    stale: false,
  });
  expect(idsIn(report)).toEqual(['agent-1795447692893', 'agent-1795447692901', 'agent-1795446110467']);
  expect(report.swarms.at(-1)).toMatchObject({ nativeId: 'swarm-1795446110464', tasksTotal: null });
});

test('agent_spawn makes the next poll request the members of a previously empty swarm', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  const empty = 'swarm-1795447692907';
  const born = { agent: { id: 'agent-9', type: 'coder' }, swarm_info: { id: empty, agent_count: 1 } };
  expect(agentIn(seen(rig, callOf('agent_spawn', {}, born)), 'agent-9').swarmNativeId).toBe(empty);
  await rig.poll();

  expect(rig.server.calls.filter(({ args }) => args['swarmId'] === empty)).toHaveLength(0);
  rig.server.answers.set('swarm_status', { swarms: [{ id: empty, status: { agents: { total: 1 } } }] });
  seen(rig, callOf('agent_spawn', {}, born));
  await rig.poll();
  expect(rig.server.calls.filter(({ args }) => args['swarmId'] === empty)).toHaveLength(1);
});

test('agent_spawn assigns no swarm before the list of swarms is known', async () => {
  const rig = await polled('RUV_SWARM', { agent_list: { agents: [] } });
  const report = seen(rig, recordedCall('ruv-swarm', 'agent_spawn'));

  expect(report.agents.map((agent) => agent.swarmNativeId)).toEqual([null]);
  expect(report.swarms).toEqual([]);
});

test('swarm_init adds the swarm with topology, strategy and maximum, also after later polls', async () => {
  const rig = await polled('RUV_SWARM', { ...RUV_ANSWERS, swarm_status: { swarms: [] } });
  const created = {
    nativeId: 'swarm-1795446110464',
    topologyName: 'mesh',
    strategy: 'balanced',
    maxAgents: 10,
    createdAt: '2026-11-23T15:01:50.464Z',
  };
  expect(seen(rig, recordedCall('ruv-swarm', 'swarm_init')).swarms).toMatchObject([created]);

  rig.server.answers.set('swarm_status', recorded('ruv-swarm', 'swarm_status'));
  rig.clock.advance(1_000);
  expect((await rig.poll()).swarms).toMatchObject([{ ...created, tasksTotal: 2 }]);
});

test('swarm_status and agent_list of one swarm update its counts and members', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  const status = { id: FULL, agents: { total: 2 }, tasks: { total: 7, in_progress: 1, completed: 4 } };
  const reported = seen(rig, callOf('swarm_status', { swarmId: FULL }, status));
  expect(reported.swarms[0]).toMatchObject({ nativeId: FULL, tasksTotal: 7, tasksActive: 1, tasksCompleted: 4 });

  const members = { agents: [{ id: 'agent-1795447692901' }] };
  const placed = seen(rig, callOf('agent_list', { swarmId: FULL }, members));
  expect(placed.agents.map((agent) => agent.swarmNativeId)).toEqual([null, FULL]);
});

test('task_orchestrate and task_status update the task counts of each agent', async () => {
  const rig = await polled('RUV_SWARM', { ...RUV_ANSWERS, agent_list: recorded('ruv-swarm', 'agent_list') });
  const given = seen(rig, recordedCall('ruv-swarm', 'task_orchestrate.2'));
  expect(agentIn(given, 'agent-1795446110466').performance).toMatchObject({ tasksActive: 1, tasksCompleted: 0 });
  expect(agentIn(given, 'agent-1795446110468').performance).toMatchObject({ tasksActive: 0 });

  const task = { id: 'task-1795446110480', status: 'completed' };
  const done = seen(rig, callOf('task_status', { taskId: task.id }, task));
  expect(agentIn(done, 'agent-1795446110466').performance).toMatchObject({ tasksActive: 0, tasksCompleted: 1 });
});

test('daa_agent_create adds a DAA agent, which later polls keep', async () => {
  const rig = await polled('RUV_SWARM', { ...RUV_ANSWERS, daa_agent_create: {} });
  expect(rig.adapter.agentServerTypes).toEqual(['RUV_SWARM', 'DAA']);
  const agent = {
    serverType: 'DAA',
    swarmNativeId: null,
    status: 'ACTIVE',
    capabilities: ['learn'],
    neural: { cognitivePattern: 'systems' },
    createdAt: '2026-11-23T15:01:51.109Z',
  };
  expect(agentIn(seen(rig, recordedCall('ruv-swarm', 'daa_agent_create')), 'daa-1')).toMatchObject(agent);
  rig.clock.advance(1_000);
  expect(agentIn(await rig.poll(), 'daa-1')).toMatchObject(agent);
});

test.each([
  ['daa_agent_adapt', 'adaptive'],
  ['daa_cognitive_pattern.change', 'lateral'],
])('%s changes the cognitive pattern of a DAA agent', async (name, cognitivePattern) => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  expect(rig.adapter.observe(recordedCall('ruv-swarm', name))).toBeNull();
  seen(rig, recordedCall('ruv-swarm', 'daa_agent_create'));
  expect(agentIn(seen(rig, recordedCall('ruv-swarm', name)), 'daa-1')).toMatchObject({ neural: { cognitivePattern } });
});

test('daa_agent_create keeps at most 1,000 DAA agents', async () => {
  const rig = await polled('RUV_SWARM', RUV_ANSWERS);
  for (let index = 0; index < 1_001; index += 1)
    seen(rig, callOf('daa_agent_create', {}, { agent: { id: `daa-${index}`, status: 'active' } }));
  const { agents } = await rig.poll();
  expect(agents.filter(({ serverType }) => serverType === 'DAA')).toHaveLength(1_000);
  expect(agents.at(-1)).toMatchObject({ nativeId: 'daa-1000' });
});
