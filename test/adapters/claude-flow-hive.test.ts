import { expect, test } from 'vitest';
import { agentIn, FLOW_ANSWERS, recorded, rigOf } from './fake-server.js';

const HIVE = 'hive-1795446176646';
const SWARM = 'swarm-1795446176450-0jotbb';

test('ClaudeFlowAdapter adds the queen of the hive with an edge to each worker', async () => {
  const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();

  expect(agentIn(report, 'queen-1')).toMatchObject({
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: HIVE,
    type: 'queen',
    status: 'ACTIVE',
    role: 'queen',
    createdAt: null,
  });
  expect(agentIn(report, 'hw-1795446176650-n5zl')).toMatchObject({
    swarmNativeId: HIVE,
    type: 'coder',
    status: 'IDLE',
    role: 'worker',
    createdAt: '2026-11-23T15:02:56.650Z',
  });
  expect(report.edges).toEqual(
    ['hw-1795446176650-n5zl', 'hw-1795446176650-cbmv'].map((worker) => ({
      swarmNativeId: HIVE,
      fromNativeId: 'queen-1',
      toNativeId: worker,
      relation: 'leads',
    })),
  );
});

test('ClaudeFlowAdapter adds workers that the agent list does not contain', async () => {
  const report = await rigOf('CLAUDE_FLOW', {
    ...FLOW_ANSWERS,
    agent_list: recorded('claude-flow', 'agent_list'),
  }).poll();

  expect(agentIn(report, 'hw-1795446176650-cbmv')).toMatchObject({
    swarmNativeId: HIVE,
    type: 'coder',
    status: 'IDLE',
    role: 'worker',
    performance: { healthScore: null, tasksCompleted: 0 },
  });
});

test('ClaudeFlowAdapter reports no type and no task count for a worker without a record', async () => {
  const hive = {
    initialized: true,
    hiveId: 'h',
    queen: null,
    workers: [{ id: 'w', type: 'worker', status: 'unknown', tasksCompleted: 0 }],
  };
  const report = await rigOf('CLAUDE_FLOW', { agent_list: { agents: [] }, 'hive-mind_status': hive }).poll();

  expect(agentIn(report, 'w')).toMatchObject({ type: 'unknown', status: 'UNKNOWN', performance: null });
});

test('ClaudeFlowAdapter reports a hive without queen and workers as a swarm without agents', async () => {
  const hive = { initialized: true, hiveId: 'h' };
  const report = await rigOf('CLAUDE_FLOW', { agent_list: { agents: [] }, 'hive-mind_status': hive }).poll();

  expect(report.swarms.map((swarm) => swarm.nativeId)).toEqual(['h']);
  expect(report).toMatchObject({ agents: [], edges: [], failures: [] });
});

test('ClaudeFlowAdapter reports no edges for a hive without a queen', async () => {
  const queen = { id: 'N/A', status: 'offline', load: 0, tasksQueued: 0 };
  const hive = { ...FLOW_ANSWERS['hive-mind_status'], queen };
  const report = await rigOf('CLAUDE_FLOW', { ...FLOW_ANSWERS, 'hive-mind_status': hive }).poll();

  expect(report.agents.filter((agent) => agent.role === 'queen')).toEqual([]);
  expect(report.edges).toEqual([]);
  expect(agentIn(report, 'hw-1795446176650-n5zl')).toMatchObject({ swarmNativeId: HIVE, role: 'worker' });
});

test('ClaudeFlowAdapter reports swarm and hive as two swarms without task counts', async () => {
  const report = await rigOf('CLAUDE_FLOW', FLOW_ANSWERS).poll();
  const none = { tasksTotal: null, tasksActive: null, tasksCompleted: null, name: null, stale: false };

  expect(report.swarms).toEqual([
    {
      ...none,
      nativeId: SWARM,
      serverType: 'CLAUDE_FLOW',
      status: 'running',
      topologyName: 'hierarchical',
      strategy: 'specialized',
      maxAgents: 8,
      createdAt: '2026-11-23T15:02:56.450Z',
    },
    {
      ...none,
      nativeId: HIVE,
      serverType: 'CLAUDE_FLOW',
      status: 'active',
      topologyName: 'mesh',
      strategy: null,
      maxAgents: null,
      createdAt: '2026-11-23T15:02:56.646Z',
    },
  ]);
});
