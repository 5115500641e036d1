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
    class EarlyClock extends ManualClock {
      earlyMs = 0;

      override schedule(delayMs: number, callback: () => void): Disposable {
        const scheduled = super.schedule(delayMs - this.earlyMs, callback);
        this.earlyMs = 0;
        return scheduled;
      }
    }
    for (const hz of [3, 7, 60]) {
      const clock = new EarlyClock();
      const rateClock = new RateClock(clock);
      const first = rateClock.next(hz, NEVER);
      clock.advance(0);
      await first;
      clock.earlyMs = 0.9;
      const ticks: number[] = [];
      const tick = rateClock.next(hz, NEVER).then(() => ticks.push(clock.monotonic()));
      expect(rateClock.dueMs(hz)).toBeCloseTo(1000 / hz);
      await clock.pass(1000 / hz - 0.5);
      expect([ticks.length, clock.pending]).toEqual([0, 1]);
      await clock.pass(0.5);
      await tick;
      expect(ticks[0]).toBeCloseTo(1000 / hz);
      expect(rateClock.dueMs(hz)).toBeNull();
    }
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

  test('remembers rates within their period, also above the number from which on it forgets others', async () => {
    const clock = new ManualClock();
    clock.advance(5_000);
    const rateClock = new RateClock(clock);
    const first = Array.from({ length: 64 }, (_, index) => rateClock.next(index + 1, new AbortController().signal));
    clock.advance(0);
    await Promise.all(first);
    expect(rateClock.rememberedRates).toBe(64);
    clock.advance(100);
    const other = rateClock.next(0.5, NEVER);
    clock.advance(0);
    await other;
    // 10 Hz and less have not passed their period.
    expect(rateClock.rememberedRates).toBe(11);
    let hasTicked = false;
    const again = rateClock.next(1, NEVER).then(() => (hasTicked = true));
    await clock.pass(899);
    expect(hasTicked).toBe(false);
    await clock.pass(1);
    await again;
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
