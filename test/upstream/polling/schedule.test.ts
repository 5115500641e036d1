import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Demand } from '../../../src/state/demand.js';
import { effectiveDueMs, nextPollDueMs, pollIntervalMs } from '../../../src/upstream/polling/poll-schedule.js';
import { createView } from '../../../src/state/index.js';
import { serverOf } from '../../support/arbitraries.js';

describe('pollIntervalMs', () => {
  test('returns the interval of the demand, limited by `maxPollHz` and the heartbeat', () => {
    expect(pollIntervalMs(0, 60, 5_000)).toBe(5_000);
    expect(pollIntervalMs(10, 60, 5_000)).toBe(100);
    expect(pollIntervalMs(60, 10, 5_000)).toBe(100);
    expect(pollIntervalMs(0.1, 60, 5_000)).toBe(5_000);
  });
});

describe('effectiveDueMs', () => {
  test('for any lateness of timers: the number of polls matches the rate', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 15, noNaN: true }), { minLength: 200, maxLength: 200 }),
        (lateness) => {
          const intervalMs = 1000 / 60;
          let lastDueMs: number | null = null;
          let nowMs = 0;
          for (const lateMs of lateness) {
            const dueMs = nextPollDueMs({ lastDueMs, intervalMs, notBeforeMs: 0, last: null, maxPollShare: 1 });
            nowMs = Math.max(nowMs, dueMs) + lateMs;
            lastDueMs = effectiveDueMs(dueMs, nowMs, intervalMs);
          }
          expect(lastDueMs).toBeCloseTo(199 * intervalMs, 3);
        },
      ),
    );
  });

  test('starts a new grid when a poll is late by more than one interval', () => {
    expect(effectiveDueMs(100, 350, 100)).toBe(350);
    expect(effectiveDueMs(100, 150, 100)).toBe(100);
  });
});

describe('Demand', () => {
  test('returns the highest rate of the readers whose view includes the server', () => {
    const demand = new Demand();
    const flow = { ...serverOf('flow'), agentServerTypes: ['CLAUDE_FLOW', 'DAA'] as const };
    const ruv = { ...serverOf('ruv'), agentServerTypes: ['RUV_SWARM'] as const };
    const slow = demand.add(createView(), 1);
    using _fast = demand.add(createView({ serverTypes: ['DAA'] }), 60);
    using _swarm = demand.add(createView({ swarmIds: ['ruv:s1'] }), 10);
    using _nothing = demand.add(createView({ serverTypes: [] }), 60);
    expect([demand.requiredHz(flow), demand.requiredHz(ruv)]).toEqual([60, 10]);
    slow[Symbol.dispose]();
    slow[Symbol.dispose]();
    expect(demand.size).toBe(3);
  });

  test('calls its listeners at each change', () => {
    const demand = new Demand();
    let changes = 0;
    using _watch = demand.onChange(() => (changes += 1));
    const reader = demand.add(createView(), 1);
    reader[Symbol.dispose]();
    expect(changes).toBe(2);
  });
});
