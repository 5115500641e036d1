import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../src/mcp/index.js';
import { agentIn, rigOf } from './fake-server.js';

const HEADER = { format: 'swarmlens-observer', version: 1, source: 'claude-code' };
const SESSION = {
  id: 's',
  swarmId: 's',
  name: 'shop',
  type: 'session',
  status: 'waiting',
  statusInferred: false,
  activity: {
    kind: 'waiting',
    label: 'Bash',
    detail: null,
    since: '2026-11-23T15:00:00.000Z',
    waitingFor: 'permission',
    inferred: false,
  },
  model: 'claude-opus-5',
  usage: {
    inputTokens: 1,
    outputTokens: 2,
    cacheReadTokens: 3,
    cacheWriteTokens: 4,
    totalTokens: 10,
    costUsd: null,
    costEstimated: false,
    complete: true,
  },
  context: { usedTokens: 50_000, limitTokens: 200_000, limitInferred: true },
  workspace: 'shop',
};
const CHILD = { id: 's/a', parentId: 's', swarmId: 's', name: 'Explore', type: 'Explore', status: 'working' };
const SWARM = { id: 's', kind: 'session', name: 'shop', leadAgentId: 's' };
const TASK = { id: 's/1', swarmId: 's', title: null, status: 'in_progress', agentIds: ['s/a'], dependsOnIds: ['s/0'] };
const MESSAGE = { id: 'm', swarmId: 's', fromAgentId: 's', toAgentIds: ['s/a'], sentAt: '2026-11-23T15:00:00.000Z' };

function agentList(revision: string, base: string | null, agents: readonly unknown[], more: object = {}) {
  const empty = { removedAgentIds: [], swarms: base === null ? [SWARM] : [], removedSwarmIds: [], problems: [] };
  return { ...HEADER, revision, base, agents, ...empty, ...more };
}

const ANSWERS = {
  list_agents: agentList('e-1', null, [SESSION, CHILD]),
  list_tasks: { ...HEADER, revision: 'e-1', base: null, tasks: [TASK], removedTaskIds: [] },
  list_messages: { ...HEADER, revision: 'e-1', base: null, messages: [MESSAGE], removedMessageIds: [] },
};

describe('ObserverAdapter', () => {
  test('reports agents with their activity, tokens, context and current task', async () => {
    const report = await rigOf('CLAUDE_CODE', ANSWERS).poll();

    expect(agentIn(report, 's')).toMatchObject({
      serverType: 'CLAUDE_CODE',
      swarmNativeId: 's',
      parentNativeId: null,
      name: 'shop',
      title: null,
      workspace: 'shop',
      type: 'session',
      status: 'WAITING',
      model: 'claude-opus-5',
      activity: { kind: 'WAITING', label: 'Bash', waitingFor: 'PERMISSION', inferred: false },
      usage: { totalTokens: 10, complete: true },
      context: { usedTokens: 50_000, limitTokens: 200_000, usedRatio: 0.25 },
    });
    expect(agentIn(report, 's/a')).toMatchObject({
      parentNativeId: 's',
      type: 'explore',
      status: 'BUSY',
      currentTaskNativeId: 's/1',
    });
    expect(report.failures).toEqual([]);
  });

  test('reports swarms, edges, tasks and messages', async () => {
    const report = await rigOf('CLAUDE_CODE', ANSWERS).poll();

    expect(report.swarms).toMatchObject([
      { nativeId: 's', name: 'shop', status: 'active', tasksTotal: 1, tasksActive: 1 },
    ]);
    expect(report.edges).toEqual([{ swarmNativeId: 's', fromNativeId: 's', toNativeId: 's/a', relation: 'started' }]);
    expect(report.tasks).toMatchObject([
      { nativeId: 's/1', status: 'IN_PROGRESS', agentNativeIds: ['s/a'], dependsOnNativeIds: ['s/0'] },
    ]);
    expect(report.messages).toMatchObject([{ nativeId: 'm', fromNativeId: 's', toNativeIds: ['s/a'], text: null }]);
  });

  test.each([
    ['working', 'BUSY'],
    ['waiting', 'WAITING'],
    ['idle', 'IDLE'],
    ['interrupted', 'IDLE'],
    ['finished', 'TERMINATED'],
    ['failed', 'ERROR'],
    ['ended', 'TERMINATED'],
    ['dreaming', 'UNKNOWN'],
  ])('maps status %s to %s', async (status, expected) => {
    const answers = { ...ANSWERS, list_agents: agentList('e-1', null, [{ ...CHILD, status }]) };

    expect(agentIn(await rigOf('CODEX', answers).poll(), 's/a').status).toBe(expected);
  });

  test('marks an activity as inferred when the status is', async () => {
    const agent = { ...SESSION, statusInferred: true };
    const report = await rigOf('CLAUDE_CODE', { ...ANSWERS, list_agents: agentList('e-1', null, [agent]) }).poll();

    expect(agentIn(report, 's').activity?.inferred).toBe(true);
  });

  test('asks for what has changed since the last answer', async () => {
    const rig = rigOf('CLAUDE_CODE', ANSWERS);
    await rig.poll();
    const changed = { ...CHILD, status: 'finished' };
    rig.server.answers.set('list_agents', agentList('e-2', 'e-1', [changed]));
    const report = await rig.poll();
    expect(rig.server.calls.filter(({ tool }) => tool === 'list_agents').at(-1)?.args).toEqual({ after: 'e-1' });
    expect(agentIn(report, 's/a').status).toBe('TERMINATED');
    expect(report.agents).toHaveLength(2);

    rig.server.answers.set('list_agents', agentList('e-3', 'e-2', [], { removedAgentIds: ['s/a'] }));
    expect((await rig.poll()).agents.map(({ nativeId }) => nativeId)).toEqual(['s']);
  });

  test('begins again when the observer has restarted, and when an answer does not continue the last one', async () => {
    const rig = rigOf('CLAUDE_CODE', ANSWERS);
    await rig.poll();
    rig.server.answers.set('list_agents', agentList('f-1', null, [SESSION]));
    expect((await rig.poll()).agents).toHaveLength(1);

    rig.server.answers.set('list_agents', agentList('f-9', 'f-7', [CHILD]));
    const broken = await rig.poll();
    expect(broken.failures).toMatchObject([{ tool: 'list_agents' }]);
    expect(broken.agents).toMatchObject([{ nativeId: 's', stale: true }]);

    rig.server.answers.set('list_agents', (args: object) =>
      agentList('f-10', null, 'after' in args ? [] : [SESSION, CHILD]),
    );
    rig.clock.advance(30_000);
    expect((await rig.poll()).agents).toHaveLength(2);
  });

  test('polls tasks when the observer announces a change of them', async () => {
    const rig = rigOf('CLAUDE_CODE', ANSWERS);
    await rig.poll();
    await rig.poll();
    expect(rig.server.timesAsked('list_tasks')).toBe(1);

    const announce = (uri: string): SessionEvent => ({
      kind: 'NOTIFICATION',
      method: 'notifications/resources/updated',
      params: { uri },
    });
    expect(rig.adapter.observe(announce('swarmlens://tasks'))).toBeNull();
    rig.server.answers.set('list_tasks', {
      ...ANSWERS.list_tasks,
      revision: 'e-2',
      base: 'e-1',
      tasks: [{ ...TASK, status: 'completed' }],
    });
    const report = await rig.poll();
    expect(rig.server.timesAsked('list_tasks')).toBe(2);
    expect(rig.server.timesAsked('list_messages')).toBe(1);
    expect(report.tasks).toMatchObject([{ status: 'COMPLETED' }]);
    expect(agentIn(report, 's/a').currentTaskNativeId).toBeNull();
  });

  test('omits malformed entries and keeps the others', async () => {
    const agents = [SESSION, { ...CHILD, id: 7 }, null, { ...CHILD, usage: 'much' }];
    const rig = rigOf('CLAUDE_CODE', { ...ANSWERS, list_agents: agentList('e-1', null, agents) });
    const report = await rig.poll();

    expect(report.agents.map(({ nativeId }) => nativeId)).toEqual(['s', 's/a']);
    expect(agentIn(report, 's/a').usage).toBeNull();
    expect(rig.adapter.rejectedCount).toBe(3);
  });

  test.each([
    ['another version', { ...ANSWERS.list_agents, version: 2 }],
    ['no observer format', { agents: [SESSION] }],
  ])('reports a failure when the answer has %s', async (_, answer) => {
    const report = await rigOf('CLAUDE_CODE', { ...ANSWERS, list_agents: answer }).poll();

    expect(report.failures).toMatchObject([{ tool: 'list_agents' }]);
  });
});
