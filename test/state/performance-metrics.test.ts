import { expect, test } from 'vitest';
import { type Agent, type AgentPerformance, UNKNOWN_PERFORMANCE } from '../../src/model/index.js';
import { aggregatePerformance } from '../../src/state/index.js';
import { agentWith } from './fixed-state.js';

function reporting(nativeId: string, performance: Partial<AgentPerformance>, changes: Partial<Agent> = {}): Agent {
  return agentWith(nativeId, { performance: { ...UNKNOWN_PERFORMANCE, ...performance }, ...changes });
}

test('aggregatePerformance counts agents by status, and sums and averages what they report', () => {
  const metrics = aggregatePerformance([
    reporting('a', { tasksActive: 2, healthScore: 1 }, { status: 'ACTIVE' }),
    reporting('b', { tasksActive: 3, healthScore: 0 }, { status: 'BUSY', stale: true }),
    reporting('c', { healthScore: 0.2 }, { status: 'BUSY' }),
    agentWith('d', { performance: null, status: 'IDLE' }),
  ]);
  expect(metrics).toMatchObject({
    totalAgents: 4,
    staleAgents: 1,
    activeAgents: 3,
    agentsByStatus: [
      { status: 'ACTIVE', count: 1 },
      { status: 'BUSY', count: 2 },
      { status: 'IDLE', count: 1 },
    ],
    tasksActive: 5,
    tasksFailed: null,
    meanSuccessRate: null,
  });
  expect(metrics.meanHealthScore).toBeCloseTo(0.4);
});

test('aggregatePerformance returns null instead of sums and means when there are no agents', () => {
  const { totalAgents, staleAgents, activeAgents, agentsByStatus, ...fields } = aggregatePerformance([]);
  expect({ totalAgents, staleAgents, activeAgents, agentsByStatus }).toEqual({
    totalAgents: 0,
    staleAgents: 0,
    activeAgents: 0,
    agentsByStatus: [],
  });
  expect(new Set(Object.values(fields))).toEqual(new Set([null]));
});
