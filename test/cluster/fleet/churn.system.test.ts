import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { Churn, type Step } from './churn.js';
import { joinAndLeave } from '../join-and-leave.js';

const here = hasRedis({ own: true });

/** `npm run soak:nodes` makes a thousand. */
const ROUNDS = 25;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'join' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave', 'vanish'), which: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rounds'), count: fc.integer({ min: 1, max: 4 }) }) },
);

test.skipIf(!here)(
  `however nodes join, leave and vanish, at most one watches a server, each under a greater term, and all are spread in the end${here ? '' : ` (${NO_REDIS})`}`,
  async () => {
    await using redis = await RedisServer.start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 10 }),
        fc.constantFrom(['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']),
        async (steps, serverIds) => {
          await redis.look.flushall();
          await using churn = new Churn(redis.look, redis.url, serverIds);
          for (const one of steps) {
            // Three at a time.
            if (one.kind !== 'join' || churn.size < 3) await churn.take(one);
          }
          await churn.take({ kind: 'join' });
          await churn.rest();
          expect(churn.problems).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  },
);

test.skipIf(!here)(
  `nodes that join and leave leave nothing behind in Redis${here ? '' : ` (${NO_REDIS})`}`,
  async () => {
    await using redis = await RedisServer.start();
    const left = await joinAndLeave(redis.look, redis.url, ROUNDS);
    expect(left).toEqual({ keysWithoutEnd: [], keys: [], channels: [], patterns: 0, clients: [] });
  },
);
