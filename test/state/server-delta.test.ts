import { describe, expect, test } from 'vitest';
import { emptyDelta, hasStateChanges, toStaleSnapshot } from '../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../support/arbitraries.js';
import { agentWith, edgeWith, swarmWith, taskWith } from './fixed-state.js';

const LATER = '2026-11-23T15:00:01.000Z';

describe('hasStateChanges', () => {
  test.each([
    { server: serverOf('x') },
    { serverRemoved: true },
    { agents: [agentWith('a')] },
    { removedAgentIds: ['x:a'] },
    { swarms: [swarmWith('s')] },
    { removedSwarmIds: ['x:s'] },
    { edges: [edgeWith('a', 'b')] },
    { removedEdgeIds: ['e'] },
    { tasks: [taskWith('t')] },
    { removedTaskIds: ['x:t'] },
  ])('returns true when a delta holds only %o', (changes) => {
    expect(hasStateChanges({ ...emptyDelta('x'), ...changes })).toBe(true);
  });

  test('returns false when a delta holds events or times only', () => {
    expect(hasStateChanges({ ...emptyDelta('x'), seenAt: LATER, publishedAtMs: 1 })).toBe(false);
  });
});

describe('toStaleSnapshot', () => {
  const agents = [agentWith('a'), agentWith('old', { stale: true })];
  const snapshot = {
    server: serverOf('x'),
    agents,
    swarms: [swarmWith('s')],
    edges: [edgeWith('a', 'old')],
    tasks: [taskWith('t')],
  };

  test('marks agents, swarms and tasks as stale since the last answer, and keeps what is stale already', () => {
    const server = serverOf('x', true);
    expect(toStaleSnapshot(snapshot, server, LATER)).toEqual({
      server,
      agents: [agentWith('a', { stale: true, lastSeenAt: LATER }), agentWith('old', { stale: true })],
      swarms: [swarmWith('s', { stale: true })],
      edges: snapshot.edges,
      tasks: [taskWith('t', { stale: true })],
    });
  });

  test('keeps the time of the last report when the server never answered', () => {
    expect(toStaleSnapshot(snapshot, serverOf('x', true), null).agents[0]?.lastSeenAt).toBe(EPOCH_TIME);
  });
});
