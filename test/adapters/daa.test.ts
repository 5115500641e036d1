import { expect, test } from 'vitest';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { agentIn, DAA_ANSWERS, rigOf } from './fake-server.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

test('DaaAdapter reports the values of the server, and null for all others', async () => {
  const rig = rigOf('DAA', DAA_ANSWERS);
  const report = await rig.poll();

  expect(agentIn(report, 'worker-1')).toEqual({
    nativeId: 'worker-1',
    serverType: 'DAA',
    swarmNativeId: null,
    name: 'Indexer',
    type: 'researcher',
    status: 'ACTIVE',
    capabilities: ['search', 'index'],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: { ...UNKNOWN_PERFORMANCE, tasksActive: 1, tasksCompleted: 1, tasksFailed: 0 },
    neural: null,
    role: null,
    createdAt: '2026-11-23T15:02:56.464Z',
    lastActiveAt: '2026-11-23T15:02:57.500Z',
    stale: false,
  });
  expect(agentIn(report, 'worker-2').performance).toMatchObject({ tasksActive: 0, tasksCompleted: 1, tasksFailed: 1 });
  expect(report.swarms).toEqual([]);
  expect(rig.adapter.rejectedCount).toBe(0);
});

test.each([
  ['starting', 'INITIALIZING'],
  ['running', 'ACTIVE'],
  ['paused', 'PAUSED'],
  ['stopping', 'ACTIVE'],
  ['stopped', 'TERMINATED'],
  ['error', 'ERROR'],
  ['meditating', 'UNKNOWN'],
])('DaaAdapter maps status %s to %s', async (status, expected) => {
  const report = await rigOf('DAA', { list_agents: { agents: [{ id: 'a', status }], total_count: 1 } }).poll();

  expect(agentIn(report, 'a').status).toBe(expected);
});

test.each([
  ['in its result', { task: { id: 't' }, result: { agent_id: 'worker-1' }, status: 'Completed' }],
  ['beside its task', { task: { id: 't' }, assigned_to: ['worker-1'], status: 'completed' }],
  [
    'in its task, of a status that holds something',
    { task: { assigned_to: 'worker-1' }, status: { Completed: { ms: 3 } } },
  ],
])('DaaAdapter counts a task for its agent when the agent is %s', async (_, task) => {
  const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: { tasks: [task], total_count: 1 } }).poll();

  expect(agentIn(report, 'worker-1').performance?.tasksCompleted).toBe(1);
  expect(agentIn(report, 'worker-2').performance?.tasksCompleted).toBe(0);
});

test.each([
  ['names no agent for its tasks', { tasks: [{ task: { task_id: 't' }, status: 'running' }], total_count: 1 }],
  ['is incomplete', { ...DAA_ANSWERS.list_tasks, total_count: 5 }],
])('DaaAdapter does not count a task list that %s', async (_, tasks) => {
  const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: tasks }).poll();

  expect(report.agents.map((agent) => agent.performance)).toEqual([null, null]);
  expect(report.failures).toEqual([]);
});

test('DaaAdapter reports task counts of 0 for a server without tasks', async () => {
  const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: { tasks: [] } }).poll();

  expect(agentIn(report, 'worker-1').performance).toEqual({
    ...UNKNOWN_PERFORMANCE,
    tasksActive: 0,
    tasksCompleted: 0,
    tasksFailed: 0,
  });
});
