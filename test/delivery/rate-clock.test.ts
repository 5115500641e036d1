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
  test.each([1, 10, 30, 60])('ticks %d times per second for a waiter that waits again immediately', async (hz) => {
    // The first tick comes immediately, the others one period apart.
    expect(await countTicks(hz, 10_001, 1)).toBe(1 + hz * 10);
  });

  test('does not tick early when a timer fires less than 1 ms early', async () => {
    const property = fc.asyncProperty(fc.constantFrom(3, 7, 60), async (hz) => {
      const clock = new ManualClock();
      const rateClock = new RateClock(clock);
      const first = rateClock.next(hz, NEVER);
      clock.advance(0);
      await first;
      const tick = rateClock.next(hz, NEVER).then(() => clock.monotonic());
      clock.advance(1000 / hz - 0.5);
      await settled();
      clock.advance(1);
      expect(await tick).toBeGreaterThanOrEqual(1000 / hz);
    });
    await fc.assert(property);
  });

  test('ticks immediately after a pause of at least one period, and not again within the period', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(1, 7, 10, 60),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }),
      async (hz, pauses) => {
        const clock = new ManualClock();
        const rateClock = new RateClock(clock);
        let lastMs = -Infinity;
        for (const pauseMs of pauses) {
          await clock.pass(pauseMs);
          const askedMs = clock.monotonic();
          const ticks: number[] = [];
          const tick = rateClock.next(hz, NEVER).then(() => ticks.push(clock.monotonic()));
          while (ticks.length === 0) await clock.pass(1);
          await tick;
          const [tickMs] = ticks;
          const dueMs = Math.max(askedMs, lastMs + 1000 / hz);
          // This clock advances by whole milliseconds.
          expect(tickMs).toBeGreaterThanOrEqual(dueMs - 1e-3);
          expect(tickMs).toBeLessThanOrEqual(dueMs + 1);
          lastMs = dueMs;
        }
      },
    );
    await fc.assert(property);
  });

  test('forgets rates that are no longer in use', async () => {
    const clock = new ManualClock();
    const rateClock = new RateClock(clock);
    for (let rate = 1; rate <= 1_000; rate += 1) {
      const tick = rateClock.next(1 + rate / 1_000, NEVER);
      await clock.pass(1_000, 1_000);
      await tick;
    }
    expect(rateClock.rememberedRates).toBeLessThanOrEqual(65);
    expect(rateClock.timers).toBe(0);
  });

  test('uses one timer per rate until its last waiter leaves', async () => {
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

  test('remembers an on-demand request for the next waiter', async () => {
    const rateClock = new RateClock(new ManualClock());
    const seen = rateClock.onDemandCount;
    rateClock.triggerOnDemand();
    expect(await rateClock.nextOnDemand(seen, NEVER)).toBe(seen + 1);
  });
});
