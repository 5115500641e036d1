import { describe, expect, test } from 'vitest';
import type { ReportedTask, ServerReport } from '../../src/model/index.js';
import { createReportedTask } from '../../src/adapters/responses/report-builders.js';
import { parseTaskStatus } from '../../src/adapters/responses/task-status.js';
import { DAA_ANSWERS, FLOW_ANSWERS, recorded, recordedCall, rigOf, RUV_ANSWERS } from './fake-server.js';
import { callOf, polled, seen } from './observed-calls.js';

function tasksIn({ tasks = [] }: ServerReport): readonly ReportedTask[] {
  return tasks;
}

function taskIn(report: ServerReport, nativeId: string): ReportedTask | undefined {
  return tasksIn(report).find((task) => task.nativeId === nativeId);
}

test.each([
  ['pending', 'PENDING'],
  ['assigned', 'PENDING'],
  ['in_progress', 'IN_PROGRESS'],
  ['In Progress', 'IN_PROGRESS'],
  ['orchestrated', 'IN_PROGRESS'],
  ['on-hold', 'BLOCKED'],
  ['waiting', 'BLOCKED'],
  ['Completed', 'COMPLETED'],
  ['timed_out', 'FAILED'],
  ['cancelled', 'CANCELED'],
  ['canceled', 'CANCELED'],
  ['meditating', 'UNKNOWN'],
  ['', 'UNKNOWN'],
  ['constructor', 'UNKNOWN'],
  [null, 'UNKNOWN'],
])('parseTaskStatus maps %j to %s', (word, status) => {
  expect(parseTaskStatus(word)).toBe(status);
});

describe('ClaudeFlowAdapter', () => {
  test('reports the tasks of the list with description, status and assignees, and null for all other values', async () => {
    const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();
    expect(tasksIn(report).map(({ nativeId, status }) => [nativeId, status])).toEqual([
      ['task-1795446176550-nzxc8s', 'IN_PROGRESS'],
      ['task-1795446176547-ccrz7g', 'COMPLETED'],
      ['task-1795446176543-wbp7dx', 'IN_PROGRESS'],
    ]);
    expect(taskIn(report, 'task-1795446176543-wbp7dx')).toEqual({
      nativeId: 'task-1795446176543-wbp7dx',
      serverType: 'CLAUDE_FLOW',
      swarmNativeId: null,
      title: 'do 0',
      status: 'IN_PROGRESS',
      agentNativeIds: ['coder-1'],
      dependsOnNativeIds: [],
      createdAt: '2026-11-23T15:02:56.543Z',
      startedAt: null,
      endedAt: null,
      stale: false,
    });
  });

  test('reports the last known tasks as stale while the list fails', async () => {
    const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
    rig.server.answers.set('task_list', 'no');
    rig.clock.advance(1_000);
    const report = await rig.poll();
    expect(tasksIn(report).map(({ stale }) => stale)).toEqual([true, true, true]);
    expect(report.agents[0]?.performance?.tasksActive).toBeNull();
  });

  test('reports the newest tasks when the list reaches its limit', async () => {
    const tasks = Array.from({ length: 1_000 }, (_, index) => ({ taskId: `t${index}`, status: 'pending' }));
    const report = await rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, task_list: { tasks } }).poll();
    expect(tasksIn(report)).toHaveLength(1_000);
  });

  test('keeps times that only an observed call reported, until the task changes', async () => {
    const rig = await polled('CLAUDE_FLOW', FLOW_ANSWERS);
    const id = 'task-1795446176543-wbp7dx';
    const startedAt = '2026-11-23T15:02:56.557Z';
    expect(taskIn(seen(rig, recordedCall('claude-flow', 'task_status')), id)).toMatchObject({ startedAt });
    rig.clock.advance(1_000);
    expect(taskIn(await rig.poll(), id)).toMatchObject({ startedAt, endedAt: null });
  });

  test('omits a malformed task and malformed values, and keeps the others', async () => {
    const tasks = [
      { taskId: '', status: 'pending' },
      { taskId: 'a', status: 7, assignedTo: 'x', description: 'line\none\u0007', createdAt: 'yesterday' },
      { taskId: 'a', status: 'pending' },
      { taskId: 'b', description: 'x'.repeat(5_000), assignedTo: ['q', 'q', null, 3] },
    ];
    const rig = rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, task_list: { tasks } });
    const [first, second, ...others] = tasksIn(await rig.poll());
    const known = { nativeId: 'a', serverType: 'CLAUDE_FLOW', title: 'lineone' } as const;
    expect(first).toEqual(createReportedTask(known));
    expect(second).toMatchObject({ nativeId: 'b', title: 'x'.repeat(256), agentNativeIds: ['q'] });
    expect(others).toEqual([]);
    expect(rig.adapter.rejectedCount).toBeGreaterThan(0);
  });

  test('reports the tasks that version 2 was observed to start, because it cannot list them', async () => {
    const rig = await polled('CLAUDE_FLOW', {
      agents_spawn_parallel: {},
      agent_list: recorded('claude-flow-2', 'agent_list'),
      swarm_status: { ...recorded('claude-flow-2', 'swarm_status'), taskCount: 3, completedTasks: 1 },
    });
    const answer = { success: true, taskId: 'task_1', task: 'Build it', status: 'pending', persisted: true };
    const report = seen(rig, callOf('task_orchestrate', { task: 'Build it' }, answer));
    expect(tasksIn(report)).toEqual([
      createReportedTask({ nativeId: 'task_1', serverType: 'CLAUDE_FLOW', title: 'Build it', status: 'PENDING' }),
    ]);
    const polledAgain = await rig.poll();
    expect(tasksIn(polledAgain)).toEqual(tasksIn(report));
    expect(polledAgain.agents[0]?.performance).toBeNull();
    expect(polledAgain.swarms).toMatchObject([{ tasksTotal: 3, tasksActive: null, tasksCompleted: 1 }]);
  });

  test('keeps a bounded number of observed tasks when no list exists', async () => {
    const rig = await polled('CLAUDE_FLOW', {
      agents_spawn_parallel: {},
      agent_list: recorded('claude-flow-2', 'agent_list'),
    });
    for (let index = 0; index < 1_100; index += 1)
      rig.adapter.observe(callOf('task_orchestrate', {}, { taskId: `t${index}`, status: 'pending' }));
    const ids = tasksIn(await rig.poll()).map(({ nativeId }) => nativeId);
    expect([ids.length, ids.includes('t1099'), ids.includes('t0')]).toEqual([1_000, true, false]);
  });
});

describe('RuvSwarmAdapter', () => {
  const DONE = { ...RUV_ANSWERS, task_status: recorded('ruv-swarm', 'task_status.done') };

  test('reports the tasks of the list', async () => {
    const report = await rigOf('RUV_SWARM', DONE).poll();
    expect(tasksIn(report).map(({ nativeId }) => nativeId)).toEqual(['task-1795446110477', 'task-1795446110480']);
    expect(taskIn(report, 'task-1795446110480')).toEqual(
      createReportedTask({
        nativeId: 'task-1795446110480',
        serverType: 'RUV_SWARM',
        status: 'COMPLETED',
        agentNativeIds: ['agent-1795446110466', 'agent-1795446110467'],
      }),
    );
  });

  test('keeps title and swarm that only the creating call reported', async () => {
    const rig = await polled('RUV_SWARM', DONE);
    const created = { title: 'Review the parser', swarmNativeId: 'swarm-1795446110464' };
    const observed = seen(rig, recordedCall('ruv-swarm', 'task_orchestrate.2'));
    expect(taskIn(observed, 'task-1795446110480')).toMatchObject({ ...created, status: 'IN_PROGRESS' });
    rig.clock.advance(1_000);
    expect(taskIn(await rig.poll(), 'task-1795446110480')).toMatchObject({ ...created, status: 'COMPLETED' });
  });
});

describe('DaaAdapter', () => {
  test('reports tasks with the times of their results', async () => {
    const entry = {
      task: {
        id: 't1',
        task_type: 'x',
        description: 'index it',
        dependencies: ['t0'],
        assigned_agents: ['worker-1'],
      },
      result: { agent_id: 'worker-2', started_at: '2026-11-23T15:03:00Z', completed_at: null },
      status: { InProgress: { percent: 3 } },
    };
    const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: { tasks: [entry], total_count: 1 } }).poll();
    expect(tasksIn(report)).toEqual([
      createReportedTask({
        nativeId: 't1',
        serverType: 'DAA',
        title: 'index it',
        status: 'IN_PROGRESS',
        agentNativeIds: ['worker-1', 'worker-2'],
        dependsOnNativeIds: ['t0'],
        startedAt: '2026-11-23T15:03:00.000Z',
      }),
    ]);
  });

  test('reports each id once, and no task without an id', async () => {
    const tasks = [
      { task: { task_id: 'a' }, status: 'running' },
      { task: { id: 'a' }, status: 'completed' },
      { task: { id: 7 }, status: 'completed' },
      { task: null, status: 'completed' },
      null,
    ];
    const report = await rigOf('DAA', { ...DAA_ANSWERS, list_tasks: { tasks, total_count: 5 } }).poll();
    expect(tasksIn(report)).toEqual([createReportedTask({ nativeId: 'a', serverType: 'DAA', status: 'IN_PROGRESS' })]);
  });
});
