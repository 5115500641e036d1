import { describe, expect, test } from 'vitest';
import { hasRedis, NO_REDIS } from '../support/redis-server.js';
import { Fleet } from './fleet.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`three nodes on one Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('poll each server from one node, and give 300 clients the same picture, which is the servers’', async () => {
    await using fleet = await Fleet.start();
    await fleet.join(300);
    const polledBy = await fleet.polledBy(10);
    expect(polledBy.map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(new Set(polledBy.flat()).size).toBe(3);
    fleet.freeze();
    console.log(`whole after ${(await fleet.isWhole()).toFixed(0)} ms`);
    expect(await fleet.differences()).toEqual([]);
  });
});
