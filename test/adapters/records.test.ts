import { expect, test } from 'vitest';
import { agentIn, rigOf } from './fake-server.js';

function listOf(...agents: unknown[]) {
  return rigOf('CLAUDE_FLOW', { agent_list: { agents } });
}

test.each([
  ['no object', 'coder'],
  ['null', null],
  ['no id', { agentType: 'coder' }],
  ['an empty id', { agentId: ' \u0000 ' }],
  ['a number for an id', { agentId: 7 }],
  ['an id that is too long', { agentId: 'x'.repeat(257) }],
])('RecordReader omits and counts an agent with %s', async (_, malformed) => {
  const rig = listOf({ agentId: 'a' }, malformed, { agentId: 'b' });
  const report = await rig.poll();

  expect(report.agents.map((agent) => agent.nativeId)).toEqual(['a', 'b']);
  expect(report.failures).toEqual([]);
  expect(rig.adapter.rejectedCount).toBe(1);
});

test.each([
  ['health', 87],
  ['health', -0.1],
  ['health', '1'],
  ['taskCount', 1.5],
  ['taskCount', -1],
  ['createdAt', 'yesterday'],
  ['createdAt', { secs: 1 }],
  ['status', 3],
  ['agentType', ['coder']],
])('RecordReader omits and counts a malformed field (%s: %j)', async (key, value) => {
  const good = {
    agentId: 'a',
    agentType: 'coder',
    status: 'idle',
    health: 1,
    taskCount: 2,
    createdAt: '2026-11-23T15:00:00Z',
  };
  const rig = listOf({ ...good, [key]: value });
  const expected = agentIn(await listOf({ ...good, [key]: null }).poll(), 'a');

  expect(agentIn(await rig.poll(), 'a')).toEqual(expected);
  expect(rig.adapter.rejectedCount).toBe(1);
});

test('RecordReader keeps the first of two agents with the same id and counts the other', async () => {
  const rig = listOf({ agentId: 'a', agentType: 'coder' }, { agentId: ' a ', agentType: 'tester' });
  const report = await rig.poll();

  expect(report.agents.map((agent) => agent.type)).toEqual(['coder']);
  expect(rig.adapter.rejectedCount).toBe(1);
});

test('RecordReader logs server, tool, path and reason once a minute, never the value', async () => {
  const rig = listOf({ agentId: 'a', health: 'SECRET-1' }, { agentId: 'b', health: 'SECRET-2' });
  await rig.poll();
  rig.clock.advance(59_999);
  await rig.poll();
  expect(rig.log).toHaveLength(1);
  expect(rig.log[0]).toEqual({
    message: 'omitted malformed value',
    fields: {
      serverId: 'server',
      tool: 'agent_list',
      path: 'agents.health',
      reason: 'Invalid input: expected number, received string',
      rejected: 1,
    },
  });

  rig.clock.advance(1);
  await rig.poll();
  expect(rig.log.map((line) => line.fields['rejected'])).toEqual([1, 5]);
  expect(rig.adapter.rejectedCount).toBe(6);
});

test('RecordReader logs each reason separately', async () => {
  const rig = listOf({ agentId: 'a', health: 2 }, { agentId: 'b', health: 'x' }, { agentType: 'coder' });
  await rig.poll();

  expect(rig.log.map((line) => [line.fields['path'], line.fields['reason']])).toEqual([
    ['agents.health', 'Too big: expected number to be <=1'],
    ['agents.health', 'Invalid input: expected number, received string'],
    ['agents.agentId', 'Invalid input: expected string, received undefined'],
  ]);
});

test('RecordReader handles keys like __proto__', async () => {
  const agent: unknown = JSON.parse(
    '{"agentId":"__proto__","__proto__":{"polluted":1},"constructor":{"name":"x"},"status":"busy"}',
  );
  const swarm: unknown = JSON.parse('{"__proto__":{"swarmId":"s","totalSwarms":1},"totalSwarms":0}');
  const rig = rigOf('CLAUDE_FLOW', {
    agent_list: { agents: [agent, { agentId: 'constructor', status: 'toString' }] },
    task_list: { tasks: [{ taskId: '__proto__', status: '__proto__', assignedTo: ['__proto__'] }] },
    swarm_status: swarm,
  });
  const report = await rig.poll();

  expect(report.agents.map((one) => [one.nativeId, one.status])).toEqual([
    ['__proto__', 'BUSY'],
    ['constructor', 'UNKNOWN'],
  ]);
  expect(report.swarms).toEqual([]);
  expect(agentIn(report, '__proto__').performance?.tasksActive).toBe(0);
  expect('polluted' in {}).toBe(false);
});
