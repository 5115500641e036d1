import { describe, expect, test } from 'vitest';
import { type LoopShare, LoopShares } from '../../../src/upstream/pool/loop-shares.js';
import { ManualClock } from '../../support/manual-clock.js';

/** Lets servers whose polls take the given times on the event loop poll for a minute. Returns their shares of it. */
function shares(
  clock: ManualClock,
  polled: readonly { readonly share: LoopShare; readonly costMs: number }[],
): number[] {
  const used = polled.map(() => 0);
  const startMs = clock.monotonic();
  while (clock.monotonic() - startMs < 60_000) {
    const before = clock.monotonic();
    polled.forEach(({ share, costMs }, index) => {
      if (share.readyInMs > 0) return;
      share.measure(() => clock.advance(costMs));
      used[index] = (used[index] ?? 0) + costMs;
    });
    if (clock.monotonic() - before < 16) clock.advance(16 - (clock.monotonic() - before));
  }
  return used.map((ms) => ms / 60_000);
}

describe('LoopShares', () => {
  test('leaves half of the event loop to others when one server answers with more than it can process', () => {
    const clock = new ManualClock();
    const [used] = shares(clock, [{ share: new LoopShares(clock).open(), costMs: 300 }]);
    expect(used).toBeGreaterThan(0.4);
    expect(used).toBeLessThan(0.55);
  });

  test('divides that half equally between servers that want more', () => {
    const clock = new ManualClock();
    const all = new LoopShares(clock);
    const used = shares(clock, [
      { share: all.open(), costMs: 200 },
      { share: all.open(), costMs: 50 },
    ]);
    for (const share of used) expect(share).toBeGreaterThan(0.2);
    for (const share of used) expect(share).toBeLessThan(0.32);
  });

  test('does not delay a server that needs little when another one needs much', () => {
    const clock = new ManualClock();
    const all = new LoopShares(clock);
    const light = all.open();
    const heavy = all.open();
    let delays = 0;
    for (let poll = 0; poll < 1_000; poll += 1) {
      if (heavy.readyInMs === 0) heavy.measure(() => clock.advance(400));
      if (light.readyInMs > 0) delays += 1;
      light.measure(() => clock.advance(2));
      clock.advance(20);
    }
    expect(delays).toBe(0);
  });

  test('gives a server what the others do not use, and nothing away for a closed one', () => {
    const clock = new ManualClock();
    const all = new LoopShares(clock);
    for (let server = 0; server < 9; server += 1) all.open();
    const closed = all.open();
    closed.measure(() => clock.advance(10_000));
    closed[Symbol.dispose]();
    const [used] = shares(clock, [{ share: all.open(), costMs: 100 }]);
    expect(used).toBeGreaterThan(0.4);
  });

  test('counts the time of work that throws', () => {
    const clock = new ManualClock();
    const share = new LoopShares(clock).open();
    const work = (): void => {
      clock.advance(120);
      throw new Error('broken');
    };
    expect(() => share.measure(work)).toThrow('broken');
    expect(share.readyInMs).toBe(80);
  });

  test('reads the shares of several servers while the clock advances', () => {
    const clock = new ManualClock();
    // Advances with each reading, as the system clock does.
    const monotonic = (): number => {
      clock.advance(1);
      return clock.monotonic();
    };
    const all = new LoopShares({
      now: () => clock.now(),
      schedule: (delayMs, run) => clock.schedule(delayMs, run),
      monotonic,
    });
    const [first, second] = [all.open(), all.open()];
    for (const share of [first, second]) share.measure(() => clock.advance(1_000));
    expect(first.readyInMs).toBeGreaterThan(0);
    expect(second.readyInMs).toBeGreaterThan(0);
    expect(first.used).toBeLessThan(1);
  });
});
