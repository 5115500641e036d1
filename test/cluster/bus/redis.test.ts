import { describe } from 'vitest';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { busContract } from './contract.js';
import { RedisNode } from './redis-node.js';

const here = hasRedis();

describe.skipIf(!here)(`RedisBus${here ? '' : ` (${NO_REDIS})`}`, () => {
  busContract(async () => {
    const redis = await RedisServer.startOrUse();
    // A Redis that other programs use contains keys of them and of earlier runs.
    const prefix = `t${process.pid}-${Date.now()}`;
    const owner = await RedisNode.start(redis, 'owner', { prefix });
    const other = await RedisNode.start(redis, 'other', { prefix });
    for (const id of ['x', 'y']) await owner.hold(id, 1);
    return {
      owner,
      other,
      async [Symbol.asyncDispose]() {
        await other[Symbol.asyncDispose]();
        await owner[Symbol.asyncDispose]();
        const keys = await redis.look.keys(`${prefix}:*`);
        if (keys.length > 0) await redis.look.del(keys);
        await redis[Symbol.asyncDispose]();
      },
    };
  });
});
