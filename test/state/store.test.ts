import { describe, expect, test } from 'vitest';
import type { Notice, Task } from '../../src/model/index.js';
import { createView, emptyDelta, type ServerDelta, type ServerSnapshot, Store } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { agentWith, edgeWith, swarmWith, taskWith } from './fixed-state.js';

const LATER = '2026-11-23T15:00:01.000Z';

const SNAPSHOT: ServerSnapshot = {
  server: serverOf('x'),
  agents: [agentWith('a', { swarmId: 'x:s' }), agentWith('b')],
  swarms: [swarmWith('s')],
  edges: [edgeWith('a', 'b')],
  tasks: [taskWith('t', { agentIds: ['x:a'] })],
};

/** A change of each field of a task. */
const TASK_CHANGES: readonly Partial<Task>[] = [
  { serverType: 'DAA' },
  { swarmId: 'x:s' },
  { title: 'fix' },
  { status: 'COMPLETED' },
  { agentIds: ['x:b'] },
  { dependsOnIds: ['x:u'] },
  { createdAt: LATER },
  { startedAt: LATER },
  { endedAt: LATER },
  { stale: true },
];

const NOTICE: Notice = {
  type: 'notice',
  code: 'AGENT_REJECTED',
  severity: 'INFO',
  message: 'm',
  serverId: 'x',
  timestamp: LATER,
};

function newStore(snapshots: readonly ServerSnapshot[] = [SNAPSHOT], maxTombstones = 10): Store {
  const store = new Store({ epoch: 'e', maxTombstones, maxEvents: 10 });
  for (const snapshot of snapshots) store.commit(store.diff(snapshot, EPOCH_TIME));
  return store;
}

describe('Store', () => {
  test('has no difference to a snapshot that it holds', () => {
    const copy = structuredClone(SNAPSHOT);
    expect(newStore().diff(copy, LATER)).toEqual({ ...emptyDelta('x'), seenAt: LATER });
  });

  test.each<[string, Partial<ServerSnapshot>, Partial<ServerDelta>]>([
    ['its server', { server: serverOf('x', true) }, { server: serverOf('x', true) }],
    ['an agent', { agents: [agentWith('a'), agentWith('b')] }, { agents: [agentWith('a')] }],
    ['a missing agent', { agents: [agentWith('b')] }, { removedAgentIds: ['x:a'] }],
    ['a swarm', { swarms: [swarmWith('s', { name: 'n' })] }, { swarms: [swarmWith('s', { name: 'n' })] }],
    ['a missing swarm', { swarms: [] }, { removedSwarmIds: ['x:s'] }],
    ['a missing edge', { edges: [] }, { removedEdgeIds: ['x:s|a|b'] }],
    ...(['from', 'to', 'relation'] as const).map((name): [string, Partial<ServerSnapshot>, Partial<ServerDelta>] => {
      const edge = edgeWith('a', 'b', { [name]: 'other' });
      return [`the field ${name} of an edge`, { edges: [edge] }, { edges: [edge] }];
    }),
    [
      'the inference of an edge',
      { edges: [edgeWith('a', 'b', { inferred: true })] },
      { edges: [edgeWith('a', 'b', { inferred: true })] },
    ],
    ['a missing task', { tasks: [] }, { removedTaskIds: ['x:t'] }],
    ...TASK_CHANGES.map((change): [string, Partial<ServerSnapshot>, Partial<ServerDelta>] => {
      const tasks = [taskWith('t', { agentIds: ['x:a'], ...change })];
      return [`the field ${Object.keys(change).join()} of a task`, { tasks }, { tasks }];
    }),
  ])('differs from a snapshot in %s', (_, changes, expected) => {
    expect(newStore().diff({ ...SNAPSHOT, ...changes }, null)).toEqual({ ...emptyDelta('x'), ...expected });
  });

  test('removes a server with everything that belongs to it, and nothing else', () => {
    const other: ServerSnapshot = { server: serverOf('y'), agents: [], swarms: [], edges: [], tasks: [] };
    const store = newStore([SNAPSHOT, other]);
    store.commit(store.removalDelta('x'));
    const { agents, swarms, edges, tasks, servers } = store;
    expect([agents, swarms, edges, tasks, servers].map(({ size }) => size)).toEqual([0, 0, 0, 0, 1]);
    expect(store.tasksOfAgent('x:a')).toEqual([]);
    expect([store.serverLastSeenAt('x'), store.serverLastSeenAt('y')]).toEqual([null, EPOCH_TIME]);
    expect(store.edgesOfAgent('x:a').size).toBe(0);
  });

  test('has a horizon of the kind with the latest forgotten removal', () => {
    const kinds = ['removedAgentIds', 'removedSwarmIds', 'removedEdgeIds'] as const;
    for (const [kind, id] of [
      ['removedAgentIds', 'x:a'],
      ['removedSwarmIds', 'x:s'],
      ['removedEdgeIds', 'x:s|a|b'],
    ] as const) {
      expect(kinds).toContain(kind);
      const store = newStore([SNAPSHOT], 0);
      store.commit({ ...emptyDelta('x'), [kind]: [id] });
      expect(store.horizon).toBe(2);
    }
    const store = newStore([{ ...SNAPSHOT, agents: [], swarms: [], edges: [], tasks: [] }], 0);
    store.commit(store.removalDelta('x'));
    expect(store.horizon).toBe(2);
  });

  test('counts commits of events and times, which create no revision', () => {
    const store = newStore();
    const deltas: ServerDelta[] = [];
    const listener = store.onCommit((delta) => deltas.push(delta));
    store.commit({ ...emptyDelta('x'), seenAt: LATER, events: [NOTICE] });
    expect([store.commitCount, store.revision]).toEqual([2, 1]);
    expect(store.events.since(0).events).toEqual([NOTICE]);
    expect(deltas).toHaveLength(1);
    listener[Symbol.dispose]();
    store.commit(emptyDelta('x'));
    expect(deltas).toHaveLength(1);
  });

  test('reports the time of the last answer for agents, unless they are stale', () => {
    const store = newStore([]);
    const [fresh, stale] = [agentWith('a'), agentWith('b', { stale: true })];
    expect([store.lastSeenAt(fresh), store.serverLastSeenAt('x')]).toEqual([EPOCH_TIME, null]);
    store.commit({ ...emptyDelta('x'), seenAt: LATER });
    expect([store.lastSeenAt(fresh), store.lastSeenAt(stale)]).toEqual([LATER, EPOCH_TIME]);
    store.commit(emptyDelta('x'));
    expect(store.serverLastSeenAt('x')).toBe(LATER);
  });

  test('computes deltas and metrics once per commit', () => {
    const store = newStore();
    const deltas = store.agentDeltas(0);
    const metrics = store.performanceMetrics(createView());
    expect(store.agentDeltas(0)).toBe(deltas);
    expect(store.agentDeltas(1)).not.toBe(deltas);
    expect(store.performanceMetrics(createView())).toBe(metrics);
    expect(store.performanceMetrics(createView({ serverIds: [] })).totalAgents).toBe(0);
    store.commit({ ...emptyDelta('x'), agents: [agentWith('c')] });
    expect(store.agentDeltas(0).map(({ id }) => id)).toEqual(['x:a', 'x:b', 'x:c']);
    expect(store.performanceMetrics(createView()).totalAgents).toBe(3);
  });

  test('counts the agents that match the most selective filter', () => {
    const store = newStore();
    const counts = [
      {},
      { serverIds: ['x', 'y'] },
      { serverIds: ['x'], swarmIds: ['x:s'] },
      { agentTypes: ['queen'] },
      { serverIds: ['y'], swarmIds: ['x:s'] },
    ];
    expect(counts.map((filters) => store.countCandidates(createView(filters)))).toEqual([2, 2, 1, 0, 0]);
  });

  test('forgets the counts of a server with its last agent', () => {
    const store = newStore();
    expect([store.agentCounts('x').byStatus.get('IDLE'), store.agentCounts('x').stale]).toEqual([2, 0]);
    store.commit({ ...emptyDelta('x'), removedAgentIds: ['x:a', 'x:b'] });
    expect(store.agentCounts('x')).toBe(store.agentCounts('unknown'));
  });

  test('moves an edge between agents', () => {
    const store = newStore();
    const edge = { ...edgeWith('a', 'b'), to: 'x:c' };
    store.commit({ ...emptyDelta('x'), edges: [edge] });
    expect(['x:a', 'x:b', 'x:c'].map((id) => [...store.edgesOfAgent(id)])).toEqual([[edge.id], [], [edge.id]]);
    store.commit({ ...emptyDelta('x'), removedEdgeIds: ['unknown'] });
    expect(store.edges.size).toBe(1);
  });
});
