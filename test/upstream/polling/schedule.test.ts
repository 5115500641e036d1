import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Demand } from '../../../src/state/demand.js';
import { effectiveDueMs, nextPollDueMs, pollIntervalMs } from '../../../src/upstream/polling/poll-schedule.js';
import { createView } from '../../../src/state/index.js';
import { serverOf } from '../../support/arbitraries.js';

describe('poll schedule', () => {
  test('nobody wants to know: the heartbeat; somebody does: their rate, but no more than the server may be asked', () => {
    expect(pollIntervalMs(0, 60, 5_000)).toBe(5_000);
    expect(pollIntervalMs(10, 60, 5_000)).toBe(100);
    expect(pollIntervalMs(60, 10, 5_000)).toBe(100);
    expect(pollIntervalMs(0.1, 60, 5_000)).toBe(5_000);
  });

  test('over any lateness of timers, as many polls are made as the rate asks for, and none is made up for', () => {
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

  test('a poll that comes later than a whole interval starts a new grid', () => {
    expect(effectiveDueMs(100, 350, 100)).toBe(350);
    expect(effectiveDueMs(100, 150, 100)).toBe(100);
  });
});

describe('Demand', () => {
  test('a server is wanted as often as its fastest reader wants it, and only by readers that can see it', () => {
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

  test('whoever watches is told when it changes', () => {
    const demand = new Demand();
    let changes = 0;
    using _watch = demand.onChange(() => (changes += 1));
    const wish = demand.add(createView(), 1);
    wish[Symbol.dispose]();
    expect(changes).toBe(2);
  });
});
