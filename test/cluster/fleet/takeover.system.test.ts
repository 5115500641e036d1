import { describe, expect, test } from 'vitest';
import { hasRedis, NO_REDIS } from '../../support/redis-server.js';
import { Fleet } from './fleet.js';
import { failOwner } from './takeover.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`Three nodes with the default configuration${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('poll the servers of a killed node from another node', async () => {
    await using fleet = await Fleet.start({ areProcesses: true, leaseMs: null });
    const { staleMs, calledMs, freshMs } = await failOwner(fleet, (owner) => fleet.kill(owner));
    expect(calledMs).toBeLessThanOrEqual(freshMs);
    if (staleMs !== null) expect(staleMs).toBeLessThan(freshMs);
    await fleet.isSpread();
    fleet.freeze();
    await fleet.isWhole();
    expect(await fleet.differences()).toEqual([]);
  });

  test('mark the servers of a stopped node as stale before another node polls them', async () => {
    await using fleet = await Fleet.start({ areProcesses: true, leaseMs: null });
    let stopped = (): void => undefined;
    try {
      const { staleMs, calledMs } = await failOwner(fleet, (owner) => {
        stopped = () => owner.signal('SIGCONT');
        owner.signal('SIGSTOP');
      });
      expect(staleMs).not.toBeNull();
      expect(staleMs).toBeLessThan(calledMs);
    } finally {
      stopped();
    }
    await fleet.isSpread();
  });
});
