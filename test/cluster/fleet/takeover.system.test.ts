import { describe, expect, test } from 'vitest';
import { hasRedis, NO_REDIS } from '../../support/redis-server.js';
import { Fleet } from './fleet.js';
import { killOwner } from './takeover.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`Death of a node with the default configuration${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('marks its servers as stale first, then polls them from another node, which ends the staleness', async () => {
    await using fleet = await Fleet.start({ areProcesses: true, leaseMs: null });
    const { staleMs, calledMs, freshMs } = await killOwner(fleet);
    expect(staleMs).toBeLessThan(calledMs);
    expect(calledMs).toBeLessThanOrEqual(freshMs);
    await fleet.isSpread();
    fleet.freeze();
    await fleet.isWhole();
    expect(await fleet.differences()).toEqual([]);
  });
});
