import { describe, expect, test } from 'vitest';
import { ReactionDelay } from '../../src/shared/index.js';
import { ManualClock } from '../support/manual-clock.js';

const OPTIONS = { initialMs: 1_000, maxMs: 60_000 };

describe('ReactionDelay', () => {
  test('allows the first reaction at once and doubles the delays of reactions that follow at once', () => {
    const clock = new ManualClock();
    const delay = new ReactionDelay(clock, OPTIONS);
    const delays = Array.from({ length: 9 }, () => {
      const delayMs = delay.next();
      clock.advance(delayMs);
      return delayMs;
    });
    expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  test('allows a reaction at once after a quiet time', () => {
    const clock = new ManualClock();
    const delay = new ReactionDelay(clock, OPTIONS);
    for (let reaction = 0; reaction < 3; reaction += 1) clock.advance(delay.next());
    clock.advance(10_000);
    expect(delay.next()).toBe(0);
    expect(delay.next()).toBe(1_000);
  });

  test('counts the time since the last reaction', () => {
    const clock = new ManualClock();
    const delay = new ReactionDelay(clock, OPTIONS);
    delay.next();
    clock.advance(400);
    expect(delay.next()).toBe(600);
  });

  test('delays more after failures', () => {
    const delay = new ReactionDelay(new ManualClock(), OPTIONS);
    delay.next();
    expect(delay.next(4)).toBe(8_000);
  });
});
