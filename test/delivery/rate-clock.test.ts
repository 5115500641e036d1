import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateClock } from '../../src/delivery/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const NEVER = new AbortController().signal;

async function countTicks(hz: number, durationMs: number, stepMs: number): Promise<number> {
  const clock = new ManualClock();
  const rateClock = new RateClock(clock);
  const left = new AbortController();
  let ticks = 0;
  const counting = (async () => {
    for (;;) {
      await rateClock.next(hz, left.signal);
      if (left.signal.aborted) return;
      ticks += 1;
    }
  })();
  await settled();
  await clock.pass(durationMs, stepMs);
  left.abort();
  await counting;
  expect(clock.pending).toBe(0);
  return ticks;
}

describe('RateClock', () => {
  test.each([1, 10, 30, 60])(
    'a waiter that comes back at once sees %d ticks a second, neither more nor fewer',
    async (hz) => {
      expect(await countTicks(hz, 10_000, 1)).toBe(hz * 10);
    },
  );

  test('timers that come early by less than a millisecond do not make ticks early', async () => {
    const property = fc.asyncProperty(fc.constantFrom(3, 7, 60), async (hz) => {
      const clock = new ManualClock();
      const rateClock = new RateClock(clock);
      const tick = rateClock.next(hz, NEVER).then(() => clock.monotonic());
      clock.advance(1000 / hz - 0.5);
      await settled();
      clock.advance(1);
      expect(await tick).toBeGreaterThanOrEqual(1000 / hz);
    });
    await fc.assert(property);
  });

  test('all waiters of one rate share one timer, and it goes with the last of them', async () => {
    const clock = new ManualClock();
    const rateClock = new RateClock(clock);
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const waits = controllers.map(({ signal }) => rateClock.next(60, signal));
    expect(clock.pending).toBe(1);
    for (const controller of controllers.slice(1)) controller.abort();
    expect(clock.pending).toBe(1);
    controllers[0]?.abort();
    expect(clock.pending).toBe(0);
    expect(rateClock.timers).toBe(0);
    await Promise.all(waits);
  });

  test('a demand that came while nobody waited is seen by the next to wait', async () => {
    const rateClock = new RateClock(new ManualClock());
    const seen = rateClock.demands;
    rateClock.demand();
    expect(await rateClock.nextDemand(seen, NEVER)).toBe(seen + 1);
  });
});
