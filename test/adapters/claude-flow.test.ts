import { expect, test } from 'vitest';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { agentIn, FLOW_ANSWERS, recorded, rigOf } from './fake-server.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

const HIVE = 'hive-1795446176646';
const SWARM = 'swarm-1795446176450-0jotbb';

test('ClaudeFlowAdapter reports the values of the agent list, and null for all others', async () => {
  const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();

  expect(agentIn(report, 'coder-1')).toEqual({
    nativeId: 'coder-1',
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: SWARM,
    name: 'coder-1',
    type: 'coder',
    status: 'BUSY',
    capabilities: [],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: { ...UNKNOWN_PERFORMANCE, healthScore: 0.7, tasksActive: 1, tasksCompleted: null, tasksFailed: null },
    neural: null,
    role: null,
    createdAt: '2026-11-23T15:02:56.502Z',
    lastActiveAt: null,
    stale: false,
  });
  expect(report.failures).toEqual([]);
});

test('ClaudeFlowAdapter counts a task for each assigned agent', async () => {
  const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();

  expect(agentIn(report, 'agent-1795446176511-xwv962').performance).toMatchObject({
    tasksActive: 1,
    tasksCompleted: 0,
  });
  expect(agentIn(report, 'agent-1795446176526-vx8cz6').performance).toMatchObject({
    tasksActive: 1,
    tasksCompleted: 0,
  });
  expect(agentIn(report, 'tester-2').performance).toMatchObject({ tasksActive: 0, tasksCompleted: 1, tasksFailed: 0 });
});

test('ClaudeFlowAdapter counts completed tasks from the list if the agent has no counter', async () => {
  const agents = { agents: [{ agentId: 'tester-2', status: 'idle' }] };
  const report = await rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, agent_list: agents }).poll();

  expect(agentIn(report, 'tester-2').performance?.tasksCompleted).toBe(1);
});

test('ClaudeFlowAdapter does not count tasks when the list reaches the limit', async () => {
  const tasks = Array.from({ length: 1000 }, (_, index) => ({
    taskId: `task-${index}`,
    status: 'in_progress',
    assignedTo: ['coder-1'],
  }));
  const rig = rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, task_list: { tasks } });
  const report = await rig.poll();

  expect(rig.server.calls.find((call) => call.tool === 'task_list')?.args).toEqual({ limit: 1000 });
  expect(agentIn(report, 'coder-1').performance).toMatchObject({
    tasksActive: null,
    tasksCompleted: null,
    tasksFailed: null,
  });
});

test('ClaudeFlowAdapter reports an agent once when several tools name it', async () => {
  const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();

  expect(report.agents.map((agent) => agent.nativeId).sort()).toEqual([
    'agent-1795446176511-xwv962',
    'agent-1795446176526-vx8cz6',
    'coder-1',
    'coordinator-0',
    'daa-1',
    'daa-2',
    'hw-1795446176650-cbmv',
    'hw-1795446176650-n5zl',
    'queen-1',
    'tester-2',
  ]);
});

test('ClaudeFlowAdapter assigns no agent to a swarm when there are several swarms', async () => {
  const swarm = { ...FLOW_ANSWERS.swarm_status, totalSwarms: 2 };
  const report = await rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, swarm_status: swarm }).poll();

  expect(agentIn(report, 'coder-1').swarmNativeId).toBeNull();
  expect(report.swarms.map((one) => one.nativeId)).toEqual([SWARM, HIVE]);
});

test('ClaudeFlowAdapter reports nothing for a new server', async () => {
  const report = await rigOf('CLAUDE_FLOW', {
    agent_list: recorded('claude-flow', 'agent_list.empty'),
    'hive-mind_status': recorded('claude-flow', 'hive-mind_status.empty'),
    daa_learning_status: recorded('claude-flow', 'daa_learning_status.empty'),
    swarm_status: recorded('claude-flow', 'swarm_status.empty'),
    task_list: recorded('claude-flow', 'task_list.empty'),
  }).poll();

  expect(report).toEqual({ agents: [], swarms: [], edges: [], tasks: [], failures: [] });
});

test('ClaudeFlowAdapter makes one call at a time', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  await rig.poll();

  expect(rig.server.mostInFlight).toBe(1);
  expect(new Set(rig.server.calls.map((call) => call.tool))).toEqual(new Set(Object.keys(FLOW_ANSWERS)));
});

test('ClaudeFlowAdapter omits invented values and values of the whole project', async () => {
  const marks = [0.123401, 123402, 123403, 123404, 123405, 0.123406, 123407];
  const [load, queued, total, taskCount, uptime, average, done] = marks;
  const hive = {
    ...FLOW_ANSWERS['hive-mind_status'],
    queen: { id: 'queen-1', status: 'active', load, tasksQueued: queued },
    metrics: {
      totalTasks: total,
      completedTasks: total,
      activeTasks: total,
      failedTasks: total,
      memoryUsage: '123403 KB',
    },
    health: { overall: 'excellent' },
    uptime,
  };
  const report = await rigOf('CLAUDE_FLOW', {
    ...FLOW_ANSWERS,
    'hive-mind_status': hive,
    swarm_status: { ...FLOW_ANSWERS.swarm_status, taskCount, agentCount: taskCount },
    daa_learning_status: { ...FLOW_ANSWERS.daa_learning_status, summary: { avgSuccessRate: average } },
    daa_cognitive_pattern: {
      success: true,
      agentId: 'daa-1',
      currentPattern: 'systems',
      metrics: { tasksCompleted: done },
    },
  }).poll();

  const text = JSON.stringify(report);
  for (const mark of [...marks, 'excellent', 'KB']) expect(text).not.toContain(String(mark));
});
