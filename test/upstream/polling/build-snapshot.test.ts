import { describe, expect, test } from 'vitest';
import { buildServerSnapshot, limitReport, toAgentMessage } from '../../../src/upstream/polling/build-snapshot.js';
import { createReportedTask } from '../../../src/adapters/responses/report-builders.js';
import type { ReportedAgent, ReportedSwarm, ReportedTask, ServerReport } from '../../../src/model/index.js';
import { toStaleSnapshot } from '../../../src/state/index.js';
import { serverOf } from '../../support/arbitraries.js';
import { NOT_REPORTED } from '../../support/unknown-fields.js';

const SEEN = '2026-11-23T15:00:00.000Z';
const LATER = '2026-11-23T15:00:05.000Z';

function agent(nativeId: string, over: Partial<ReportedAgent> = {}): ReportedAgent {
  return {
    nativeId,
    serverType: 'CLAUDE_FLOW',
    swarmNativeId: 's',
    name: nativeId,
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    model: null,
    currentTaskNativeId: null,
    ...NOT_REPORTED,
    performance: null,
    neural: null,
    role: null,
    createdAt: null,
    lastActiveAt: null,
    stale: false,
    ...over,
  };
}

function task(nativeId: string, over: Partial<ReportedTask> = {}): ReportedTask {
  return createReportedTask({ nativeId, serverType: 'CLAUDE_FLOW', status: 'PENDING', ...over });
}

function swarm(topologyName: string | null): ReportedSwarm {
  return {
    nativeId: 's',
    serverType: 'CLAUDE_FLOW',
    name: null,
    status: null,
    topologyName,
    strategy: null,
    maxAgents: null,
    tasksTotal: null,
    tasksActive: null,
    tasksCompleted: null,
    createdAt: null,
    stale: false,
  };
}

function report(over: Partial<ServerReport>): ServerReport {
  return { agents: [], swarms: [], edges: [], failures: [], ...over };
}

function edgesOf(reported: ServerReport): [string, string, boolean][] {
  return buildServerSnapshot(serverOf('x'), reported, SEEN, null, 10_000).edges.map(({ from, to, inferred }) => [
    from,
    to,
    inferred,
  ]);
}

describe('buildServerSnapshot', () => {
  test('prefixes every id with the id of the server, also native ids that look like those of another server', () => {
    const reported = report({
      agents: [agent('other:a', { swarmNativeId: 'other:s' }), agent('x:b')],
      swarms: [{ ...swarm('mesh'), nativeId: 'other:s' }],
      edges: [{ fromNativeId: 'other:a', toNativeId: 'x:b', swarmNativeId: 'other:s', relation: 'peer' }],
    });
    const { agents, swarms, edges } = buildServerSnapshot(serverOf('x'), reported, SEEN, null, 10_000);
    const ids = [...agents.flatMap(({ id, swarmId }) => [id, swarmId]), ...swarms.map(({ id }) => id)];
    const ends = edges.flatMap(({ id, swarmId, from, to }) => [id, swarmId, from, to]);
    expect(ids).toEqual(['x:other:a', 'x:other:s', 'x:x:b', 'x:s', 'x:other:s']);
    expect(ends.length).toBeGreaterThan(0);
    expect(ends.filter((id) => !id.startsWith('x:'))).toEqual([]);
    expect([...agents, ...swarms].filter(({ serverId }) => serverId !== 'x')).toEqual([]);
  });

  test('builds tasks with global ids, without duplicates and beyond 100 references', () => {
    const many = Array.from({ length: 150 }, (_, index) => `a${index}`);
    const tasks = [
      task('t', { swarmNativeId: 's', agentNativeIds: ['a', 'a', 'b'], dependsOnNativeIds: ['u'], title: 'fix' }),
      task('t', { title: 'again' }),
      task('u', { agentNativeIds: many, dependsOnNativeIds: many }),
    ];
    const [first, second, ...others] = buildServerSnapshot(serverOf('x'), report({ tasks }), SEEN, null, 10).tasks;
    expect(first).toEqual({
      id: 'x:t',
      nativeId: 't',
      serverId: 'x',
      serverType: 'CLAUDE_FLOW',
      swarmId: 'x:s',
      title: 'fix',
      status: 'PENDING',
      agentIds: ['x:a', 'x:b'],
      dependsOnIds: ['x:u'],
      createdAt: null,
      startedAt: null,
      endedAt: null,
      stale: false,
    });
    expect([second?.agentIds.length, second?.dependsOnIds.length, others]).toEqual([100, 100, []]);
  });

  test('gives an agent the global id of its parent, unless it is its own parent', () => {
    const agents = [agent('a'), agent('b', { parentNativeId: 'a' }), agent('c', { parentNativeId: 'c' })];
    const snapshot = buildServerSnapshot(serverOf('x'), report({ agents }), SEEN, null, 10);
    expect(snapshot.agents.map(({ parentId }) => parentId)).toEqual([null, 'x:a', null]);
  });

  test('infers edges from the leader of a hierarchy, which is at depth 0', () => {
    const reported = report({
      agents: [agent('boss', { type: 'coordinator' }), agent('a'), agent('b')],
      swarms: [swarm('hierarchical')],
    });
    expect(edgesOf(reported)).toEqual([
      ['x:boss', 'x:a', true],
      ['x:boss', 'x:b', true],
    ]);
    const [boss, a] = buildServerSnapshot(serverOf('x'), reported, SEEN, null, 10_000).agents;
    expect(boss?.topology).toEqual({ role: 'leader', parentId: null, depth: 0, degree: 2, inferred: true });
    expect(a?.topology).toEqual({ role: 'member', parentId: 'x:boss', depth: 1, degree: 1, inferred: true });
  });

  test('infers no edges for a hierarchy without a leader', () => {
    expect(edgesOf(report({ agents: [agent('a'), agent('b')], swarms: [swarm('hierarchical')] }))).toEqual([]);
  });

  test('infers no edges for a swarm whose server reports edges', () => {
    const reported = report({
      agents: [agent('q', { role: 'queen' }), agent('w', { role: 'worker' })],
      swarms: [swarm('mesh')],
      edges: [{ swarmNativeId: 's', fromNativeId: 'q', toNativeId: 'w', relation: 'leads' }],
    });
    expect(edgesOf(reported)).toEqual([['x:q', 'x:w', false]]);
  });

  test('omits an edge to an unknown agent', () => {
    const edges = [{ swarmNativeId: 's', fromNativeId: 'q', toNativeId: 'gone', relation: 'leads' }];
    expect(edgesOf(report({ agents: [agent('q')], swarms: [swarm(null)], edges }))).toEqual([]);
  });

  test.each([
    ['mesh', 4, 6],
    ['mesh', 65, 0],
    ['ring', 4, 4],
    ['ring', 2, 1],
    ['adaptive', 4, 0],
  ])('infers for a %s of %d agents %d edges', (topology, count, edges) => {
    const agents = Array.from({ length: count }, (_, index) => agent(`a${index}`));
    expect(edgesOf(report({ agents, swarms: [swarm(topology)] }))).toHaveLength(edges);
  });

  test('keeps `lastSeenAt` of a stale agent', () => {
    const first = buildServerSnapshot(serverOf('x'), report({ agents: [agent('a'), agent('b')] }), SEEN, null, 10_000);
    const second = buildServerSnapshot(
      serverOf('x'),
      report({ agents: [agent('a', { stale: true }), agent('b')] }),
      LATER,
      first,
      10_000,
    );
    expect(second.agents.map(({ stale, lastSeenAt }) => [stale, lastSeenAt])).toEqual([
      [true, SEEN],
      [false, LATER],
    ]);
  });
});

describe('toStaleSnapshot', () => {
  test('copies a snapshot, marks its agents and swarms as stale and sets `lastSeenAt`', () => {
    const snapshot = buildServerSnapshot(
      serverOf('x'),
      report({ agents: [agent('a')], swarms: [swarm('mesh')] }),
      SEEN,
      null,
      10_000,
    );
    const copy = toStaleSnapshot(snapshot, serverOf('x', true), LATER);
    expect(copy.agents).toEqual([{ ...snapshot.agents[0], stale: true, lastSeenAt: LATER }]);
    expect(copy.swarms).toEqual([{ ...snapshot.swarms[0], stale: true }]);
    expect(toStaleSnapshot(copy, serverOf('x', true), null).agents).toEqual(copy.agents);
  });
});

describe('limitReport', () => {
  test('keeps the first tasks of a list that is too long, and states that some are omitted', () => {
    const tasks = ['t', 'u', 'v'].map((nativeId) => task(nativeId));
    const limited = limitReport(report({ tasks }), 2);
    expect(limited.tasks).toEqual(tasks.slice(0, 2));
    expect(limited.omissions?.map(({ message }) => message)).toEqual([
      'More than 2 agents, swarms or tasks in all lists together ("limits.maxAgentsPerServer")',
    ]);
    expect(limitReport(report({ tasks }), 3).omissions).toBeUndefined();
  });
});

describe('toAgentMessage', () => {
  test('has global ids', () => {
    const message = { nativeId: 'm', serverType: 'CLAUDE_FLOW', swarmNativeId: 's', sentAt: SEEN, text: null } as const;
    expect(toAgentMessage('x', { ...message, fromNativeId: 'a', toNativeIds: ['b', 'b'] })).toEqual({
      type: 'message',
      id: 'x:m',
      serverId: 'x',
      serverType: 'CLAUDE_FLOW',
      swarmId: 'x:s',
      fromAgentId: 'x:a',
      toAgentIds: ['x:b'],
      sentAt: SEEN,
      text: null,
    });
  });
});
