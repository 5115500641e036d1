import { expect, test } from 'vitest';
import { agentIn, recorded, type Answer, type Rig, rigOf } from './fake-server.js';
import { NOT_REPORTED } from '../support/unknown-fields.js';

const SWARM = 'swarm_1795951273019_524dy2hb8';
const VERSION_2 = { agents_spawn_parallel: {} };

function rigWith(answers: Readonly<Record<string, Answer>>): Rig {
  return rigOf('CLAUDE_FLOW', { ...VERSION_2, ...answers }, undefined, {
    simulated: false,
    projectDirectory: '/nowhere',
  });
}

test('ClaudeFlowAdapter reports swarm and agents of version 2', async () => {
  const report = await rigWith({
    agent_list: recorded('claude-flow-2', 'agent_list'),
    swarm_status: recorded('claude-flow-2', 'swarm_status'),
  }).poll();

  expect(agentIn(report, 'agent_1795951273023_fbah8d')).toEqual({
    nativeId: 'agent_1795951273023_fbah8d',
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: SWARM,
    name: 'Ada',
    type: 'coder',
    status: 'ACTIVE',
    capabilities: ['ts'],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: null,
    neural: null,
    role: null,
    createdAt: '2026-11-29T11:21:13.023Z',
    lastActiveAt: '2026-11-29T11:21:13.023Z',
    stale: false,
  });
  expect(report.agents).toHaveLength(2);
  expect(report.swarms).toMatchObject([{ nativeId: SWARM, topologyName: 'mesh', status: null }]);
  expect(report).toMatchObject({ failures: [] });
  expect(report).not.toHaveProperty('limitation');
});

test('ClaudeFlowAdapter reports the agents that version 2 reads from its database', async () => {
  const entry = {
    id: 'a',
    name: 'Ada',
    type: 'coder',
    status: 'idle',
    capabilities: [],
    created: '2026-11-29T11:21:13Z',
  };
  const report = await rigWith({ agent_list: { success: true, swarmId: 's', agents: [entry], count: 1 } }).poll();
  expect(agentIn(report, 'a')).toMatchObject({ name: 'Ada', status: 'IDLE', createdAt: '2026-11-29T11:21:13.000Z' });
});

test.each([
  ['agents of an invented swarm', recorded('claude-flow-2', 'agent_list.mock')],
  ['a failure because there is no swarm', { success: false, error: 'No active swarm found', agents: [] }],
])('ClaudeFlowAdapter reports no agents and no failure when version 2 answers with %s', async (_title, answer) => {
  const report = await rigWith({
    agent_list: answer,
    swarm_status: recorded('claude-flow-2', 'swarm_status.none'),
  }).poll();
  expect(report).toEqual({ agents: [], swarms: [], edges: [], failures: [] });
});

test('ClaudeFlowAdapter applies agent_spawn of version 2', async () => {
  const rig = rigWith({ agent_list: recorded('claude-flow-2', 'agent_list') });
  await rig.poll();
  const answer = { isError: false, value: recorded('claude-flow-2', 'agent_spawn') };
  const report = rig.adapter.observe({ kind: 'CALL', tool: 'agent_spawn', args: {}, answer });
  expect(report?.agents.find(({ nativeId }) => nativeId === 'agent_1795951273023_fbah8d')).toMatchObject({
    name: 'Ada',
    type: 'coder',
    capabilities: ['ts'],
  });
});
