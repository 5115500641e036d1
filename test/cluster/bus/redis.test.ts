import { describe } from 'vitest';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { busContract } from './contract.js';
import { RedisNode } from './redis-node.js';

const here = hasRedis();

describe.skipIf(!here)(`a bus on Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  busContract(async () => {
    const redis = await RedisServer.startOrUse();
    // A Redis that is not ours has keys of others, and of earlier runs.
    const prefix = `t${process.pid}-${Date.now()}`;
    const holder = await RedisNode.start(redis, 'holder', { prefix });
    const other = await RedisNode.start(redis, 'other', { prefix });
    for (const id of ['x', 'y']) await holder.hold(id, 1);
    return {
      holder,
      other,
      async [Symbol.asyncDispose]() {
        await other[Symbol.asyncDispose]();
        await holder[Symbol.asyncDispose]();
        const keys = await redis.look.keys(`${prefix}:*`);
        if (keys.length > 0) await redis.look.del(keys);
        await redis[Symbol.asyncDispose]();
      },
    };
  });
});
