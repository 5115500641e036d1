import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/shared/index.js';
import { startStepTimer } from '../../src/simulator/world/step-timer.js';
import { ManualClock } from '../support/manual-clock.js';

function drive(hz: number) {
  const clock = new ManualClock();
  const counted = { steps: 0 };
  const driver = startStepTimer(clock, hz, () => (counted.steps += 1));
  return { clock, counted, driver };
}

describe('startStepTimer', () => {
  test('makes the given number of steps per second although timers are late', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 3, 7, 10, 60), fc.array(fc.integer({ min: 1, max: 900 })), (hz, waits) => {
        const { clock, counted } = drive(hz);
        for (const waitMs of waits) clock.advance(waitMs);
        const exact = (clock.monotonic() * hz) / 1000;
        expect([Math.floor(exact - 1e-6), Math.floor(exact + 1e-6)]).toContain(counted.steps);
      }),
    );
  });

  test('makes up steps after late timers, but not after a long pause', () => {
    const late = new ManualClock();
    let lagMs = 0;
    let steps = 0;
    const clock: Clock = {
      now: () => late.now(),
      monotonic: () => late.monotonic() + lagMs,
      schedule: (delayMs, callback) => late.schedule(delayMs, callback),
    };
    const driver = startStepTimer(clock, 10, () => (steps += 1));
    lagMs = 350;
    late.advance(100);
    expect(steps).toBe(4);
    lagMs = 60_000;
    late.advance(100);
    expect(steps).toBe(15);
    late.advance(1000);
    expect(steps).toBe(25);
    driver[Symbol.dispose]();
  });

  test('makes no step at 0 Hz or after its disposal', () => {
    const frozen = drive(0);
    frozen.clock.advance(10_000);
    expect([frozen.counted.steps, frozen.clock.pending]).toEqual([0, 0]);
    const stopped = drive(10);
    stopped.clock.advance(250);
    stopped.driver[Symbol.dispose]();
    stopped.clock.advance(10_000);
    expect([stopped.counted.steps, stopped.clock.pending]).toEqual([2, 0]);
  });
});
