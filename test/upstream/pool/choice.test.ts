import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BalancedReplica, rankReplicas, slowStartWeight } from '../../../src/upstream/pool/load-balancing.js';
import { backoffDelayMs } from '../../../src/shared/index.js';

const WELL: BalancedReplica = { outstanding: 0, medianMs: 10, recoveredForMs: null, isHealthy: true, isPaused: false };
const EASE_IN_MS = 10_000;

const replica: fc.Arbitrary<BalancedReplica> = fc.record({
  outstanding: fc.nat(20),
  medianMs: fc.option(fc.double({ min: 0, max: 1_000, noNaN: true })),
  recoveredForMs: fc.option(fc.nat(2 * EASE_IN_MS)),
  isHealthy: fc.boolean(),
  isPaused: fc.boolean(),
});

describe('choice between replicas', () => {
  test.each<[string, Partial<BalancedReplica>, Partial<BalancedReplica>]>([
    ['fewer calls under way', { outstanding: 1, medianMs: 500 }, { outstanding: 2, medianMs: 1 }],
    ['less latency where as many are', { medianMs: 5 }, { medianMs: 6 }],
    ['one whose latency nobody knows yet', { medianMs: null }, { medianMs: 1 }],
    ['one that is well', { outstanding: 9 }, { isHealthy: false }],
    ['one that does not rest, even if it may not be well', { isHealthy: false }, { isPaused: true }],
    ['one with calls before one that has just come back', { outstanding: 8 }, { recoveredForMs: 0 }],
    ['one that came back a while ago', { recoveredForMs: 9_000 }, { recoveredForMs: 1_000 }],
  ])('prefers %s', (_name, better, worse) => {
    const [first, second] = [
      { ...WELL, ...better },
      { ...WELL, ...worse },
    ];
    expect(rankReplicas([first, second], EASE_IN_MS)[0]).toBe(first);
    expect(rankReplicas([second, first], EASE_IN_MS)[0]).toBe(first);
  });

  test('loses none, and puts none with more calls under way before an equal one with fewer', () => {
    fc.assert(
      fc.property(fc.array(replica, { maxLength: 8 }), (replicas) => {
        const ordered = rankReplicas(replicas, EASE_IN_MS);
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

  test('the weight of one that has come back grows evenly from a tenth to one, and stays there', () => {
    expect([0, 5_000, 10_000, 99_999].map((ms) => slowStartWeight(ms, EASE_IN_MS))).toEqual([0.1, 0.55, 1, 1]);
    expect(slowStartWeight(null, EASE_IN_MS)).toBe(1);
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (a, b) => {
        const [earlier, later] = [Math.min(a, b), Math.max(a, b)].map((ms) => slowStartWeight(ms, EASE_IN_MS));
        expect(earlier).toBeLessThanOrEqual(later ?? 0);
        expect(earlier).toBeGreaterThanOrEqual(0.1);
      }),
    );
  });
});

describe('pauses between attempts to connect', () => {
  test('double from the first to the longest', () => {
    const longest = (failures: number): number => {
      return backoffDelayMs(failures, { initialMs: 500, maxMs: 30_000 }, () => 1);
    };
    expect([0, 1, 2, 3, 4, 20, 2_000].map(longest)).toEqual([500, 500, 1_000, 2_000, 4_000, 30_000, 30_000]);
  });

  test('are never below half of what they would be, nor above it, and depend on chance', () => {
    const pauses = fc.record({ initialMs: fc.integer({ min: 1, max: 1e5 }), more: fc.nat(1e6) });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(100), pauses, random, (failures, { initialMs, more }, chance) => {
        const settings = { initialMs, maxMs: initialMs + more };
        const pauseMs = backoffDelayMs(failures, settings, () => chance);
        const fullMs = Math.min(settings.maxMs, initialMs * 2 ** Math.max(0, failures - 1));
        expect(pauseMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(pauseMs).toBeLessThanOrEqual(fullMs);
        expect(pauseMs).toBeCloseTo(fullMs * (0.5 + chance / 2), 6);
      }),
    );
  });
});
