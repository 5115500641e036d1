import { expect, test } from 'vitest';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { agentIn, FLOW_ANSWERS, rigOf } from './fake-server.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

test('ClaudeFlowAdapter reports DAA agents with their own server type and cognitive pattern', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  const first = await rig.poll();

  expect(rig.adapter.agentServerTypes).toEqual(['CLAUDE_FLOW', 'DAA']);
  expect(agentIn(first, 'daa-1')).toEqual({
    nativeId: 'daa-1',
    serverType: 'DAA',
    swarmNativeId: null,
    name: 'daa-1',
    type: 'unknown',
    status: 'ACTIVE',
    capabilities: [],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: { ...UNKNOWN_PERFORMANCE, successRate: 0.95 },
    neural: { cognitivePattern: 'systems', networkId: null, adaptations: 1, learningRate: 0.05 },
    role: null,
    createdAt: null,
    lastActiveAt: null,
    stale: false,
  });
  expect(agentIn(first, 'daa-2').neural).toMatchObject({ cognitivePattern: null, adaptations: 0 });
  rig.clock.advance(1000);
  const second = await rig.poll();
  expect(agentIn(second, 'daa-1').neural).toMatchObject({ cognitivePattern: 'systems' });
  expect(agentIn(second, 'daa-2').neural).toMatchObject({ cognitivePattern: 'critical', learningRate: 0.01 });
});

test('CognitivePatterns fetches one agent per second, and each again after a minute', async () => {
  const rig = rigOf('CLAUDE_FLOW', FLOW_ANSWERS);
  for (let poll = 0; poll <= 252; poll += 1) {
    await rig.poll();
    rig.clock.advance(250);
  }

  const asked = rig.server.calls.filter((call) => call.tool === 'daa_cognitive_pattern');
  expect(asked.map((call) => [call.args['agentId'], call.atMs])).toEqual([
    ['daa-1', 0],
    ['daa-2', 1000],
    ['daa-1', 60_000],
    ['daa-2', 61_000],
  ]);
});

test('ClaudeFlowAdapter omits and counts a DAA agent with the id of another agent', async () => {
  const rig = rigOf('CLAUDE_FLOW', {
    ...FLOW_ANSWERS,
    daa_learning_status: { success: true, agents: [{ id: 'coder-1' }] },
  });
  const report = await rig.poll();

  const bearers = report.agents.filter((agent) => agent.nativeId === 'coder-1');
  expect(bearers.map((agent) => agent.serverType)).toEqual(['CLAUDE_FLOW']);
  expect(rig.adapter.rejectedCount).toBe(1);
});
