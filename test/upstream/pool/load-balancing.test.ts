import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BalancedReplica, rankReplicas, slowStartWeight } from '../../../src/upstream/pool/load-balancing.js';
import { backoffDelayMs } from '../../../src/shared/index.js';

const HEALTHY: BalancedReplica = {
  outstanding: 0,
  medianMs: 10,
  recoveredForMs: null,
  isHealthy: true,
  isPaused: false,
};
const SLOW_START_MS = 10_000;

const replica: fc.Arbitrary<BalancedReplica> = fc.record({
  outstanding: fc.nat(20),
  medianMs: fc.option(fc.double({ min: 0, max: 1_000, noNaN: true })),
  recoveredForMs: fc.option(fc.nat(2 * SLOW_START_MS)),
  isHealthy: fc.boolean(),
  isPaused: fc.boolean(),
});

describe('rankReplicas', () => {
  test.each<[string, Partial<BalancedReplica>, Partial<BalancedReplica>]>([
    ['fewer outstanding calls', { outstanding: 1, medianMs: 500 }, { outstanding: 2, medianMs: 1 }],
    ['lower latency when the outstanding calls are equal', { medianMs: 5 }, { medianMs: 6 }],
    ['a replica of unknown latency', { medianMs: null }, { medianMs: 1 }],
    ['a healthy replica', { outstanding: 9 }, { isHealthy: false }],
    ['an unhealthy replica to a paused one', { isHealthy: false }, { isPaused: true }],
    ['a busy replica to a freshly recovered one', { outstanding: 8 }, { recoveredForMs: 0 }],
    ['the replica that recovered earlier', { recoveredForMs: 9_000 }, { recoveredForMs: 1_000 }],
  ])('prefers %s', (_name, better, worse) => {
    const [first, second] = [
      { ...HEALTHY, ...better },
      { ...HEALTHY, ...worse },
    ];
    expect(rankReplicas([first, second], SLOW_START_MS)[0]).toBe(first);
    expect(rankReplicas([second, first], SLOW_START_MS)[0]).toBe(first);
  });

  test('for any replicas: all are ranked, and of equal ones those with fewer outstanding calls come first', () => {
    fc.assert(
      fc.property(fc.array(replica, { maxLength: 8 }), (replicas) => {
        const ordered = rankReplicas(replicas, SLOW_START_MS);
        expect(new Set(ordered)).toEqual(new Set(replicas));
        ordered.forEach((earlier, index) => {
          for (const later of ordered.slice(index + 1)) {
            const equal = { ...later, outstanding: earlier.outstanding, medianMs: earlier.medianMs };
            if (JSON.stringify(equal) === JSON.stringify(earlier)) {
              expect(earlier.outstanding).toBeLessThanOrEqual(later.outstanding);
            }
          }
        });
      }),
    );
  });
});

describe('slowStartWeight', () => {
  test('grows linearly from 0.1 to 1 after a recovery', () => {
    expect([0, 5_000, 10_000, 99_999].map((ms) => slowStartWeight(ms, SLOW_START_MS))).toEqual([0.1, 0.55, 1, 1]);
    expect(slowStartWeight(null, SLOW_START_MS)).toBe(1);
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (a, b) => {
        const [earlier, later] = [Math.min(a, b), Math.max(a, b)].map((ms) => slowStartWeight(ms, SLOW_START_MS));
        expect(earlier).toBeLessThanOrEqual(later ?? 0);
        expect(earlier).toBeGreaterThanOrEqual(0.1);
      }),
    );
  });
});

describe('backoffDelayMs', () => {
  test('doubles from the initial to the maximum delay', () => {
    const longest = (failures: number): number => {
      return backoffDelayMs(failures, { initialMs: 500, maxMs: 30_000 }, () => 1);
    };
    expect([0, 1, 2, 3, 4, 20, 2_000].map(longest)).toEqual([500, 500, 1_000, 2_000, 4_000, 30_000, 30_000]);
  });

  test('for any settings and random values: the delay is between half of the full delay and the full delay', () => {
    const delays = fc.record({ initialMs: fc.integer({ min: 1, max: 1e5 }), more: fc.nat(1e6) });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(100), delays, random, (failures, { initialMs, more }, chance) => {
        const settings = { initialMs, maxMs: initialMs + more };
        const delayMs = backoffDelayMs(failures, settings, () => chance);
        const fullMs = Math.min(settings.maxMs, initialMs * 2 ** Math.max(0, failures - 1));
        expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(delayMs).toBeLessThanOrEqual(fullMs);
        expect(delayMs).toBeCloseTo(fullMs * (0.5 + chance / 2), 6);
      }),
    );
  });
});
