import { expect, test } from 'vitest';
import { parseAgentStatus } from '../../src/adapters/responses/agent-status.js';
import { rigOf } from './fake-server.js';

test.each([
  ['completed', 'TERMINATED'],
  ['Done', 'TERMINATED'],
  ['waiting', 'PAUSED'],
  ['BLOCKED', 'PAUSED'],
  ['suspended', 'PAUSED'],
  ['on-hold', 'PAUSED'],
  ['shutdown', 'TERMINATED'],
  ['shut_down', 'TERMINATED'],
  ['Shutting Down', 'ACTIVE'],
  ['draining', 'ACTIVE'],
  ['in_progress', 'BUSY'],
  ['in-progress', 'BUSY'],
  ['inProgress', 'BUSY'],
  ['In Progress', 'BUSY'],
  ['cancelled', 'TERMINATED'],
  ['failed', 'ERROR'],
  ['unreachable', 'OFFLINE'],
  ['queued', 'INITIALIZING'],
  ['meditating', 'UNKNOWN'],
  ['', 'UNKNOWN'],
])('parseAgentStatus maps %j to %s', (word, status) => {
  expect(parseAgentStatus(word)).toBe(status);
});

test.each(['in_progress', 'In-Progress', 'IN PROGRESS', 'inProgress'])(
  'TaskList counts a task with the status %j as active',
  async (status) => {
    const tasks = [{ taskId: 't', status, assignedTo: ['a'] }];
    const report = await rigOf('CLAUDE_FLOW', {
      agent_list: { agents: [{ agentId: 'a' }] },
      task_list: { tasks },
    }).poll();
    expect(report.agents[0]?.performance).toMatchObject({ tasksActive: 1, tasksCompleted: 0 });
  },
);
