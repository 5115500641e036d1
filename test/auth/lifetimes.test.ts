import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { TokenExpiryMonitor } from '../../src/auth/token-expiry-monitor.js';
import { ManualClock } from '../support/manual-clock.js';

const DAY_MS = 86_400_000;

function viewer(expiresAtMs: number | null): Viewer {
  return { ...ANONYMOUS_VIEWER, expiresAtMs };
}

test('for any monitor and any order: TokenExpiryMonitor reports each expiry once and on time, and keeps no timer', () => {
  const step = fc.record({ waitMs: fc.nat(100_000), lastsMs: fc.option(fc.nat(200_000)), unsubscribe: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const clock = new ManualClock();
      using monitor = new TokenExpiryMonitor(clock, () => false);
      const entries: { dueMs: number | null; expiredAtMs: number[]; isUnsubscribed: boolean; watch: Disposable }[] = [];
      for (const { waitMs, lastsMs, unsubscribe } of steps) {
        const dueMs = lastsMs === null ? null : clock.now() + lastsMs;
        const expiredAtMs: number[] = [];
        const watch = monitor.watch(viewer(dueMs), () => expiredAtMs.push(clock.now()));
        entries.push({ dueMs, expiredAtMs, isUnsubscribed: unsubscribe && expiredAtMs.length === 0, watch });
        if (unsubscribe) watch[Symbol.dispose]();
        clock.advance(waitMs);
      }
      clock.advance(200_000);
      for (const { dueMs, expiredAtMs, isUnsubscribed } of entries) {
        expect(expiredAtMs).toEqual(isUnsubscribed || dueMs === null ? [] : [dueMs]);
      }
      for (const { watch } of entries) watch[Symbol.dispose]();
      expect([monitor.size, clock.pending]).toEqual([0, 0]);
    }),
  );
});

test('TokenExpiryMonitor expires on time when the lifetime exceeds the longest timer', () => {
  const clock = new ManualClock();
  using monitor = new TokenExpiryMonitor(clock, () => false);
  let hasExpired = false;
  using _watch = monitor.watch(viewer(clock.now() + 30 * DAY_MS), () => (hasExpired = true));
  clock.advance(30 * DAY_MS - 1);
  expect(hasExpired).toBe(false);
  clock.advance(1);
  expect(hasExpired).toBe(true);
});

test('TokenExpiryMonitor reports a revoked viewer on the next check, or immediately when it is watched afterwards', () => {
  const clock = new ManualClock();
  const [revokedViewer, otherViewer] = [viewer(null), viewer(null)];
  const revoked = new Set<Viewer>();
  using monitor = new TokenExpiryMonitor(clock, (candidate) => revoked.has(candidate));
  const reported: string[] = [];
  using _revoked = monitor.watch(revokedViewer, (reason) => reported.push(reason));
  using _other = monitor.watch(otherViewer, () => reported.push('other'));
  revoked.add(revokedViewer);
  monitor.checkAll();
  monitor.checkAll();
  expect(reported).toEqual(['The token has been revoked']);
  using _late = monitor.watch(revokedViewer, (reason) => reported.push(reason));
  expect(reported).toHaveLength(2);
  expect(monitor.size).toBe(1);
});

test('TokenExpiryMonitor allows callbacks to watch and unsubscribe viewers', () => {
  const clock = new ManualClock();
  using monitor = new TokenExpiryMonitor(clock, () => false);
  const reported: string[] = [];
  const soon = viewer(clock.now() + 10);
  using second: Disposable = { [Symbol.dispose]: () => other[Symbol.dispose]() };
  using _first = monitor.watch(soon, () => {
    reported.push('first');
    second[Symbol.dispose]();
    monitor.watch(viewer(clock.now() + 5), () => reported.push('third'));
  });
  const other = monitor.watch(soon, () => reported.push('second'));
  clock.advance(100);
  expect(reported).toEqual(['first', 'third']);
  expect(clock.pending).toBe(0);
});
