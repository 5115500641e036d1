import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { Churn, type Step } from './churn.js';
import { joinAndLeave } from '../join-and-leave.js';

const here = hasRedis({ own: true });

/** Number of rounds. `npm run soak:nodes` runs a thousand. */
const ROUNDS = 25;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'join' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'vanish'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rounds'), count: fc.integer({ min: 1, max: 4 }) }) },
);

describe.skipIf(!here)(`LeaseManager in a changing cluster${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('for any sequence of nodes that join, leave and vanish: a server has at most one owner, fencing tokens grow, and all servers are spread at the end', async () => {
    await using redis = await RedisServer.start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 10 }),
        fc.constantFrom(['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']),
        async (steps, serverIds) => {
          await redis.look.flushall();
          await using churn = new Churn(redis.look, redis.url, serverIds);
          for (const one of steps) {
            // The cluster has at most three nodes.
            if (one.kind !== 'join' || churn.size < 3) await churn.take(one);
          }
          await churn.take({ kind: 'join' });
          await churn.settle();
          expect(churn.problems).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('leaves no keys, channels or clients in Redis when all nodes have left', async () => {
    await using redis = await RedisServer.start();
    const left = await joinAndLeave(redis.look, redis.url, ROUNDS);
    expect(left).toEqual({ keysWithoutTtl: [], keys: [], channels: [], patterns: 0, clients: [] });
  });
});
