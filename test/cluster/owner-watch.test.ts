import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OwnerWatch } from '../../src/cluster/leases/owner-watch.js';
import { ManualClock } from '../support/manual-clock.js';

const LEASE_MS = 2_000;

function createWatch() {
  const clock = new ManualClock();
  const changes: unknown[] = [];
  const watch = new OwnerWatch(clock, LEASE_MS, (serverId, isSilent) => changes.push([serverId, isSilent]));
  return { clock, watch, changes };
}

describe('OwnerWatch', () => {
  test('reports an owner that has missed its renewals for half a lease duration in two looks', () => {
    const { clock, watch, changes } = createWatch();
    watch.observe('a', 0);
    expect(watch.nextLookMs).toBe(1_000);
    clock.advance(1_000);
    watch.observe('a', 1_000);
    clock.advance(1);
    watch.observe('a', 1_001);
    expect([changes, watch.nextLookMs]).toEqual([[], 1_101]);
    clock.advance(100);
    watch.observe('a', 1_101);
    // The next look is at the end of the lease.
    expect([changes, watch.nextLookMs]).toEqual([[['a', true]], 2_000]);
    clock.advance(899);
    watch.observe('a', 0);
    expect(changes).toEqual([
      ['a', true],
      ['a', false],
    ]);
  });

  test('reports no owner when this process was stalled, because the next look shows a recent renewal', () => {
    const { clock, watch, changes } = createWatch();
    watch.observe('a', 0);
    clock.stall(10 * LEASE_MS);
    watch.observe('a', 300);
    expect(changes).toEqual([]);
  });

  test('reports no owner after a single late look, because all renewals are late after a pause of Redis', () => {
    const { clock, watch, changes } = createWatch();
    watch.observe('a', 0);
    clock.advance(1_500);
    watch.observe('a', 1_500);
    clock.advance(100);
    watch.observe('a', 50);
    expect(changes).toEqual([]);
  });

  test('reports a server without an owner, and forgets servers that this node owns or that are gone', () => {
    const { clock, watch, changes } = createWatch();
    for (const atMs of [0, 1_001, 1_200]) {
      clock.advance(atMs - clock.monotonic());
      for (const serverId of ['a', 'b']) watch.observe(serverId, null);
    }
    watch.forget('a');
    watch.keep(new Set());
    expect(changes).toEqual([
      ['a', true],
      ['b', true],
      ['a', false],
      ['b', false],
    ]);
    expect(watch.nextLookMs).toBe(Infinity);
  });

  test('for any looks at an owner that renews in time: it is never silent', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ passMs: fc.nat(5_000), ageMs: fc.nat(LEASE_MS / 2) })), (looks) => {
        const { clock, watch, changes } = createWatch();
        for (const { passMs, ageMs } of looks) {
          clock.advance(passMs);
          watch.observe('a', ageMs);
        }
        expect(changes).toEqual([]);
      }),
    );
  });
});
