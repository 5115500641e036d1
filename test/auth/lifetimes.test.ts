import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { TokenExpiryMonitor } from '../../src/auth/token-expiry-monitor.js';
import { ManualClock } from '../support/manual-clock.js';

const DAY_MS = 86_400_000;

function viewer(expiresAtMs: number | null): Viewer {
  return { ...ANONYMOUS_VIEWER, expiresAtMs };
}

test('any lifetimes, begun and left in any order: each ends once, at its moment, and no timer is left', () => {
  const step = fc.record({ waitMs: fc.nat(100_000), lastsMs: fc.option(fc.nat(200_000)), leave: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const clock = new ManualClock();
      using lifetimes = new TokenExpiryMonitor(clock, () => false);
      const ends: { dueMs: number | null; endedMs: number[]; left: boolean; watch: Disposable }[] = [];
      for (const { waitMs, lastsMs, leave } of steps) {
        const dueMs = lastsMs === null ? null : clock.now() + lastsMs;
        const endedMs: number[] = [];
        const watch = lifetimes.watch(viewer(dueMs), () => endedMs.push(clock.now()));
        ends.push({ dueMs, endedMs, left: leave && endedMs.length === 0, watch });
        if (leave) watch[Symbol.dispose]();
        clock.advance(waitMs);
      }
      clock.advance(200_000);
      for (const { dueMs, endedMs, left } of ends) {
        expect(endedMs).toEqual(left || dueMs === null ? [] : [dueMs]);
      }
      for (const { watch } of ends) watch[Symbol.dispose]();
      expect([lifetimes.size, clock.pending]).toEqual([0, 0]);
    }),
  );
});

test('one that ends after more days than a timer can hold ends on its day', () => {
  const clock = new ManualClock();
  using lifetimes = new TokenExpiryMonitor(clock, () => false);
  let ended = false;
  using _watch = lifetimes.watch(viewer(clock.now() + 30 * DAY_MS), () => (ended = true));
  clock.advance(30 * DAY_MS - 1);
  expect(ended).toBe(false);
  clock.advance(1);
  expect(ended).toBe(true);
});

test('one that is revoked ends when it is looked at, or at once when it is revoked before it is watched', () => {
  const clock = new ManualClock();
  const [gone, stays] = [viewer(null), viewer(null)];
  const revoked = new Set<Viewer>();
  using lifetimes = new TokenExpiryMonitor(clock, (one) => revoked.has(one));
  const told: string[] = [];
  using _gone = lifetimes.watch(gone, (reason) => told.push(reason));
  using _stays = lifetimes.watch(stays, () => told.push('stays'));
  revoked.add(gone);
  lifetimes.checkAll();
  lifetimes.checkAll();
  expect(told).toEqual(['The token has been revoked']);
  using _late = lifetimes.watch(gone, (reason) => told.push(reason));
  expect(told).toHaveLength(2);
  expect(lifetimes.size).toBe(1);
});

test('one that begins and ends another while it ends keeps the others right', () => {
  const clock = new ManualClock();
  using lifetimes = new TokenExpiryMonitor(clock, () => false);
  const told: string[] = [];
  const soon = viewer(clock.now() + 10);
  using second: Disposable = { [Symbol.dispose]: () => other[Symbol.dispose]() };
  using _first = lifetimes.watch(soon, () => {
    told.push('first');
    second[Symbol.dispose]();
    lifetimes.watch(viewer(clock.now() + 5), () => told.push('third'));
  });
  const other = lifetimes.watch(soon, () => told.push('second'));
  clock.advance(100);
  expect(told).toEqual(['first', 'third']);
  expect(clock.pending).toBe(0);
});
