import { expect, test } from 'vitest';
import { agentIn, FLOW_ANSWERS, recorded, recordedCall } from './fake-server.js';
import { callOf, idsIn, polled, seen } from './observed-calls.js';

test('agent_spawn adds the agent with the values of the result', async () => {
  const rig = await polled('CLAUDE_FLOW', { ...FLOW_ANSWERS, agent_list: { agents: [] } });
  const report = seen(rig, recordedCall('claude-flow', 'agent_spawn.1'));

  expect(agentIn(report, 'coder-1')).toMatchObject({
    type: 'coder',
    status: 'INITIALIZING',
    capabilities: [],
    performance: { healthScore: null, tasksActive: 1, tasksCompleted: 0 },
    createdAt: '2026-11-23T15:02:56.502Z',
    role: null,
  });
});

test('agent_spawn uses the requested type when the result has none', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
  const confirmed = { success: true, agentId: 'new' };

  expect(agentIn(seen(rig, callOf('agent_spawn', { agentType: 'Scout' }, confirmed)), 'new').type).toBe('scout');
  expect(agentIn(seen(rig, callOf('agent_spawn', { agentType: 7 }, confirmed)), 'new').type).toBe('unknown');
  expect(rig.adapter.rejectedCount).toBe(0);
});

test('agent_update changes only the values of the result', async () => {
  const rig = await polled('CLAUDE_FLOW', {
    ...FLOW_ANSWERS,
    agent_list: recorded('claude-flow', 'agent_list.empty'),
  });
  seen(rig, recordedCall('claude-flow', 'agent_spawn.1'));

  expect(agentIn(seen(rig, recordedCall('claude-flow', 'agent_update')), 'coder-1')).toMatchObject({
    type: 'coder',
    status: 'BUSY',
    performance: { healthScore: 0.7, tasksCompleted: null },
    createdAt: '2026-11-23T15:02:56.502Z',
  });
});

test.each([
  ['agent_terminate', callOf('agent_terminate', {}, { success: true, agentId: 'coder-1', terminated: true })],
  ['agent_update', callOf('agent_update', {}, { success: true, agent: { agentId: 'coder-1', status: 'terminated' } })],
  ['agent_status', callOf('agent_status', {}, { agentId: 'coder-1', status: 'terminated' })],
])('%s removes a terminated agent', async (_, call) => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);

  expect(idsIn(seen(rig, call))).not.toContain('coder-1');
});

test('agent_terminate marks a hive worker until the hive removes it', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
  const id = 'hw-1795446176650-n5zl';
  const report = seen(rig, callOf('agent_terminate', {}, { success: true, agentId: id, terminated: true }));

  expect(agentIn(report, id)).toMatchObject({ status: 'TERMINATED', role: 'worker' });
});

test('hive-mind_spawn adds workers to the hive with edges to its queen', async () => {
  const before = { ...FLOW_ANSWERS, agent_list: recorded('claude-flow', 'agent_list') };
  const hive = { ...recorded('claude-flow', 'hive-mind_status'), workers: [] };
  const rig = await polled('CLAUDE_FLOW', { ...before, 'hive-mind_status': hive });
  const report = seen(rig, recordedCall('claude-flow', 'hive-mind_spawn'));

  for (const id of ['hw-1795446176650-n5zl', 'hw-1795446176650-cbmv']) {
    const worker = { swarmNativeId: 'hive-1795446176646', type: 'coder', status: 'UNKNOWN', role: 'worker' };
    expect(agentIn(report, id)).toMatchObject(worker);
    expect(report.edges).toContainEqual(expect.objectContaining({ fromNativeId: 'queen-1', toNativeId: id }));
  }
});

test('hive-mind_init is ignored, because its id differs from that of the status', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);

  expect(rig.adapter.observe(recordedCall('claude-flow', 'hive-mind_init'))).toBeNull();
});

test('daa_agent_create adds an agent and daa_agent_adapt updates it', async () => {
  const none = recorded('claude-flow', 'daa_learning_status.empty');
  const rig = await polled('CLAUDE_FLOW', { ...FLOW_ANSWERS, daa_learning_status: none });
  const born = agentIn(seen(rig, recordedCall('claude-flow', 'daa_agent_create')), 'daa-1');
  expect(born).toMatchObject({ serverType: 'DAA', name: 'daa-1', status: 'ACTIVE', performance: null, neural: null });

  const adapted = agentIn(seen(rig, recordedCall('claude-flow', 'daa_agent_adapt')), 'daa-1');
  expect(adapted).toMatchObject({ performance: { successRate: 0.95 }, neural: { adaptations: 1 } });
  const looked = agentIn(seen(rig, recordedCall('claude-flow', 'daa_learning_status.one')), 'daa-1');
  expect(looked).toEqual(adapted);
});

test('daa_cognitive_pattern provides the pattern for the next minute', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
  const value = { success: true, agentId: 'daa-2', currentPattern: 'lateral', learningRate: 0.2 };
  const report = seen(rig, callOf('daa_cognitive_pattern', { agentId: 'daa-2' }, value));
  expect(agentIn(report, 'daa-2').neural).toMatchObject({ cognitivePattern: 'lateral', learningRate: 0.2 });

  rig.clock.advance(59_000);
  await rig.poll();
  expect(rig.server.timesAsked('daa_cognitive_pattern')).toBe(1);
});

test('swarm_init replaces the swarm, which has no members until the next poll', async () => {
  const rig = await polled('CLAUDE_FLOW', {
    ...FLOW_ANSWERS,
    swarm_status: recorded('claude-flow', 'swarm_status.empty'),
  });
  const report = seen(rig, recordedCall('claude-flow', 'swarm_init'));

  expect(report.swarms[0]).toMatchObject({
    nativeId: 'swarm-1795446176450-0jotbb',
    status: null,
    topologyName: 'hierarchical',
    strategy: 'specialized',
    maxAgents: 8,
    createdAt: '2026-11-23T15:02:56.450Z',
  });
  expect(agentIn(report, 'coder-1').swarmNativeId).toBeNull();
});

test('task calls update the task counts of agents', async () => {
  const none = recorded('claude-flow', 'task_list.empty');
  const rig = await polled('CLAUDE_FLOW', { ...FLOW_ANSWERS, task_list: none });
  const id = 'agent-1795446176511-xwv962';
  const activeAfter = (name: string) =>
    agentIn(seen(rig, recordedCall('claude-flow', name)), id).performance?.tasksActive;

  expect(activeAfter('task_create.2')).toBe(0);
  expect(activeAfter('task_assign')).toBe(1);
  expect(activeAfter('task_create')).toBe(1);
  const done = callOf('task_complete', {}, { taskId: 'task-1795446176550-nzxc8s', status: 'completed' });
  expect(agentIn(seen(rig, done), id).performance).toMatchObject({ tasksActive: 0 });
  expect(agentIn(seen(rig, recordedCall('claude-flow', 'task_status')), 'coder-1').performance?.tasksActive).toBe(1);
});

test('task_list is ignored when the list may be incomplete', async () => {
  const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
  const tasks = Array.from({ length: 50 }, (_, index) => ({ taskId: `task-${index}`, status: 'in_progress' }));

  expect(rig.adapter.observe(callOf('task_list', {}, { tasks }))).toBeNull();
  expect(rig.adapter.observe(callOf('task_list', { limit: 20 }, { tasks: tasks.slice(30) }))).toBeNull();
  expect(rig.adapter.observe(callOf('task_list', { status: 'failed' }, { tasks: [] }))).toBeNull();
  expect(agentIn(seen(rig, callOf('task_list', { limit: 51 }, { tasks })), 'coder-1').performance).toMatchObject({
    tasksActive: 0,
  });
});
