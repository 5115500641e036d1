import { describe, expect, test } from 'vitest';
import { createUtilizationProbe, LoadShedder } from '../../../src/delivery/ticks/load-shedder.js';
import { RateClock } from '../../../src/delivery/index.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Load shedder whose utilization a test sets. */
class Bench {
  readonly clock = new ManualClock();
  utilization = 0;
  probes = 0;
  readonly shedder: LoadShedder;

  constructor() {
    this.clock.advance(5_000);
    const probe = (): number => {
      this.probes += 1;
      return this.utilization;
    };
    this.shedder = new LoadShedder(probe, new RateClock(this.clock));
  }

  /** Returns the divisor after each of the given utilizations, one per second. */
  divisorsAt(...utilizations: readonly number[]): number[] {
    return utilizations.map((utilization) => {
      this.utilization = utilization;
      this.clock.advance(1_000);
      return this.shedder.tickDivisor;
    });
  }
}

describe('LoadShedder', () => {
  test('doubles the divisor up to 16 while the event loop is overloaded, and halves it down to 1 while it is not', () => {
    const bench = new Bench();
    expect(bench.shedder.tickDivisor).toBe(1);
    expect(bench.divisorsAt(1, 0.951, 0.96, 1, 1, 1)).toEqual([2, 4, 8, 16, 16, 16]);
    expect(bench.divisorsAt(0, 0.449, 0.1, 0, 0, 0)).toEqual([8, 4, 2, 1, 1, 1]);
  });

  test('keeps the divisor between the two limits', () => {
    const bench = new Bench();
    expect(bench.divisorsAt(1, 0.95, 0.45, 0.7)).toEqual([2, 2, 2, 2]);
  });

  test('checks the event loop at most once per second', () => {
    const bench = new Bench();
    bench.utilization = 1;
    bench.clock.advance(999);
    expect([bench.shedder.tickDivisor, bench.probes]).toEqual([1, 0]);
    bench.clock.advance(1);
    expect([bench.shedder.tickDivisor, bench.probes]).toEqual([2, 1]);
    bench.clock.advance(999);
    expect([bench.shedder.tickDivisor, bench.probes]).toEqual([2, 1]);
  });
});

test('createUtilizationProbe returns the share since the last call', () => {
  const probe = createUtilizationProbe();
  for (let call = 0; call < 3; call += 1) {
    const utilization = probe();
    expect(utilization).toBeGreaterThanOrEqual(0);
    expect(utilization).toBeLessThanOrEqual(1);
  }
});
