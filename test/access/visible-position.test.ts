import { describe, expect, test } from 'vitest';
import { visiblePosition } from '../../src/access/visible-position.js';
import type { Agent, AgentTopologyPosition, TopologyEdge } from '../../src/model/index.js';
import { UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { UNOBSERVED } from '../support/unknown-fields.js';

function agentWith(topology: Partial<AgentTopologyPosition> | null): Agent {
  return {
    id: 'srv-x:a',
    nativeId: 'a',
    serverId: 'srv-x',
    serverType: 'RUV_SWARM',
    swarmId: null,
    name: 'a',
    type: 'coder',
    status: 'IDLE',
    capabilities: [],
    model: null,
    currentTaskId: null,
    ...UNOBSERVED,
    performance: UNKNOWN_PERFORMANCE,
    neural: null,
    topology: topology && { role: null, parentId: null, depth: 3, degree: 9, inferred: false, ...topology },
    stale: false,
    simulated: false,
    createdAt: null,
    lastActiveAt: null,
    lastSeenAt: EPOCH_TIME,
  };
}

function edge(from: string, to: string, changes: Partial<TopologyEdge> = {}): TopologyEdge {
  const ids = { id: `srv-x:s|${from}|${to}`, serverId: 'srv-x', swarmId: 'srv-x:s' };
  return { ...ids, from: `srv-x:${from}`, to: `srv-x:${to}`, relation: 'leads', inferred: false, ...changes };
}

const PEER = edge('a', 'p', { relation: 'peers' });

describe('visiblePosition', () => {
  test.each([
    ['no edges and no role', { role: null }, [], null],
    ['no edges and a role that needs none', { role: 'queen' }, [], { role: 'queen', depth: null, degree: 0 }],
    ['no edges and a role that needs one', { role: 'leader' }, [], null],
    ['no edges and the role of a member', { role: 'member' }, [], null],
    ['a peer', { role: 'member' }, [PEER], { role: null, depth: null, degree: 1 }],
    ['a led agent', { role: 'leader' }, [edge('a', 'b')], { role: 'leader', depth: 0, degree: 1 }],
    ['a led agent, as a member', { role: 'member' }, [edge('a', 'b')], { role: 'leader', depth: 0, degree: 1 }],
    [
      'a leader, as a leader',
      { role: 'leader' },
      [edge('b', 'a')],
      { role: 'member', parentId: 'srv-x:b', depth: 1, degree: 1 },
    ],
    [
      'a leader and a led agent',
      { role: 'leader' },
      [edge('b', 'a'), edge('a', 'c')],
      { role: 'leader', parentId: 'srv-x:b', depth: 1, degree: 2 },
    ],
    [
      'two leaders, neither of which is the reported parent',
      { role: 'worker', parentId: 'srv-x:d' },
      [edge('c', 'a'), edge('b', 'a')],
      { role: 'worker', parentId: 'srv-x:b', depth: 1, degree: 2 },
    ],
    [
      'two leaders, one of which is the reported parent',
      { role: 'member', parentId: 'srv-x:c' },
      [edge('b', 'a'), edge('c', 'a')],
      { role: 'member', parentId: 'srv-x:c', depth: 1, degree: 2 },
    ],
    ['edges between other agents', { role: 'member' }, [edge('b', 'c')], { role: null, depth: null, degree: 1 }],
  ])('derives the position from %s', (_edges, reported, edges, expected) => {
    const position = visiblePosition(agentWith(reported), edges);
    expect(position).toEqual(expected && { parentId: null, inferred: false, ...expected });
  });

  test('is inferred when all visible edges are inferred', () => {
    const agent = agentWith({ role: 'queen' });
    const inferred = edge('a', 'b', { inferred: true });
    expect(visiblePosition(agent, [inferred])?.inferred).toBe(true);
    expect(visiblePosition(agent, [inferred, edge('a', 'c')])?.inferred).toBe(false);
    expect(visiblePosition(agentWith({ role: 'queen', inferred: true }), [])?.inferred).toBe(false);
  });

  test('returns null when the agent has no position', () => {
    expect(visiblePosition(agentWith(null), [edge('a', 'b')])).toBeNull();
  });
});
