import type { Agent } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import { countAgents } from '../../playground/model/agent-counts.js';
import { createMatcher } from '../../playground/model/agent-filter.js';
import { sumCostToday } from '../../playground/model/cost-today.js';
import { NO_FILTER } from '../../playground/model/view-state.js';
import { formatAge, formatCost, formatStatus, toneOf } from '../../playground/ui/format.js';
import { byId, createAgent } from './agents.js';

/** Noon, so that some hours before and after are the same day. */
const NOW_MS = new Date(2026, 10, 29, 12).getTime();

function isoAt(hoursBefore: number): string {
  return new Date(NOW_MS - hoursBefore * 3_600_000).toISOString();
}

function createUsage(
  costUsd: number | null,
  values: Partial<NonNullable<Agent['usage']>> = {},
): NonNullable<Agent['usage']> {
  const tokens = {
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    totalTokens: null,
  };
  return { ...tokens, costUsd, costEstimated: false, complete: true, ...values };
}

describe('countAgents', () => {
  test('does not count stale agents as waiting, working or failed', () => {
    const agents = (['WAITING', 'BUSY', 'ACTIVE', 'ERROR'] as const).flatMap((status) => [
      createAgent(`${status} stale`, { status, stale: true }),
      createAgent(status, { status }),
    ]);
    const { byState, total } = countAgents(byId(...agents), NOW_MS);
    expect(Object.fromEntries(byState)).toEqual({ stale: 4, waiting: 1, working: 2, failed: 1 });
    expect(total).toBe(8);
  });

  test('counts the agents that the filter of a count matches', () => {
    const statuses = ['WAITING', 'BUSY', 'IDLE', 'OFFLINE', 'TERMINATED', 'PAUSED', 'UNKNOWN', 'ERROR'] as const;
    const agents = byId(
      ...statuses.flatMap((status, index) => [
        createAgent(status, { status }),
        createAgent(`${status} stale`, { status, stale: index % 2 === 0 }),
      ]),
    );
    for (const [state, count] of countAgents(agents, NOW_MS).byState) {
      const matches = createMatcher({ ...NO_FILTER, states: [state] }, NOW_MS);
      expect([...agents.values()].filter(matches)).toHaveLength(count);
    }
  });
});

describe('sumCostToday', () => {
  test('is unknown if no agent was active today or none reports a cost', () => {
    expect(sumCostToday([], NOW_MS).costUsd).toBeNull();
    const agents = [
      createAgent('yesterday', { lastActiveAt: isoAt(20), usage: createUsage(3) }),
      createAgent('unknown cost', { lastActiveAt: isoAt(1), usage: createUsage(null) }),
      createAgent('unknown time', { usage: createUsage(7) }),
      createAgent('no usage', { lastActiveAt: isoAt(2) }),
    ];
    expect(sumCostToday(agents, NOW_MS)).toMatchObject({ costUsd: null, agents: 2, unknown: 2 });
  });

  test('sums the agents that were active today, and states what the sum includes', () => {
    const agents = [
      createAgent('a', {
        createdAt: isoAt(3),
        lastActiveAt: isoAt(1),
        usage: createUsage(1.5, { costEstimated: true }),
      }),
      createAgent('b', { createdAt: isoAt(30), lastActiveAt: isoAt(2), usage: createUsage(2, { complete: false }) }),
      createAgent('c', { createdAt: isoAt(4), usage: createUsage(0.25) }),
    ];
    const cost = sumCostToday(agents, NOW_MS);
    expect(cost).toEqual({ costUsd: 3.75, isEstimated: true, isComplete: false, agents: 3, unknown: 0, older: 1 });
    expect(formatCost(cost)).toBe('≥ $3.75 est.');
  });
});

describe('formats', () => {
  test('shows unknown values as a dash, and never a small cost as 0', () => {
    expect(formatCost({ costUsd: null, isEstimated: true, isComplete: true })).toBe('–');
    expect(formatCost({ costUsd: 0.001, isEstimated: false, isComplete: true })).toBe('< $0.01');
    expect(formatCost({ costUsd: 0, isEstimated: false, isComplete: true })).toBe('$0.00');
    expect(formatAge(null, NOW_MS)).toBe('–');
    expect(formatAge('garbage', NOW_MS)).toBe('–');
  });

  test.each([
    [-5_000, '0 s'],
    [59_000, '59 s'],
    [60_000, '1 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [3 * 86_400_000, '3 d'],
  ])('formats an age of %d ms as %s', (ageMs, text) => {
    expect(formatAge(NOW_MS - ageMs, NOW_MS)).toBe(text);
  });

  test('shows no stale agent in the color of work', () => {
    const agent = createAgent('a', { status: 'BUSY', stale: true });
    expect(toneOf(agent)).toBe('neutral');
    expect(formatStatus(agent)).toBe('stale · was busy');
  });
});
