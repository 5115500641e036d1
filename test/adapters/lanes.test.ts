import { expect, test } from 'vitest';
import { FLOW_ANSWERS, rigOf } from './fake-server.js';

async function pollFor(seconds: number, hz: number) {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  for (let poll = 0; poll < seconds * hz; poll += 1) {
    await rig.poll();
    rig.clock.advance(1000 / hz);
  }
  return (tool: string) => rig.server.timesAsked(tool);
}

test('at 60 polls per second, lists are called every time and other tools ten times per second', async () => {
  const timesAsked = await pollFor(2, 60);

  expect(timesAsked('agent_list')).toBe(120);
  expect(timesAsked('hive-mind_status')).toBe(120);
  for (const tool of ['task_list', 'swarm_status', 'daa_learning_status']) expect(timesAsked(tool)).toBe(20);
});

test('at 10 polls per second, every tool is called every time', async () => {
  const timesAsked = await pollFor(2, 10);

  for (const tool of ['agent_list', 'task_list', 'swarm_status']) expect(timesAsked(tool)).toBe(20);
});

test('PolledTool calls the tool when a poll is slightly early', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  for (const stepMs of [96, 104, 95, 105]) {
    await rig.poll();
    rig.clock.advance(stepMs);
  }

  expect(rig.server.timesAsked('task_list')).toBe(4);
});

test('PolledTool keeps the last good result between two calls', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  const first = await rig.poll();
  rig.clock.advance(16);
  const second = await rig.poll();

  expect(second).toEqual(first);
  expect(rig.server.timesAsked('task_list')).toBe(1);
});

test('PolledTool neither calls nor reports a tool that the server does not offer', async () => {
  const rig = rigOf('CLAUDE_FLOW', { agent_list: FLOW_ANSWERS.agent_list });
  const report = await rig.poll();

  expect(report.failures).toEqual([]);
  expect(report.agents.map((agent) => agent.performance?.tasksActive)).toEqual(report.agents.map(() => null));
  expect(rig.server.calls.map((call) => call.tool)).toEqual(['agent_list']);
  expect(rig.adapter.agentServerTypes).toEqual(['CLAUDE_FLOW']);
});
