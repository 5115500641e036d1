import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Cluster } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { eventually, seen, show, versioned } from './contract.js';
import { RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

/** Forms a cluster of empty Redis nodes. */
async function join(servers: readonly RedisServer[]): Promise<void> {
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
}

describe.skipIf(!here)(`RedisBus with Redis Cluster or Sentinel${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('publishes snapshots through a cluster of three nodes', async () => {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    await using one = await RedisServer.start(args);
    await using two = await RedisServer.start(args);
    await using three = await RedisServer.start(args);
    await join([one, two, three]);
    const url = `redis+cluster://127.0.0.1:${one.port},127.0.0.1:${two.port}`;
    const look = new Cluster([{ host: '127.0.0.1', port: one.port }]);
    try {
      await using owner = await RedisNode.start({ url, look }, 'owner');
      await using other = await RedisNode.start({ url, look }, 'other');
      for (const id of ['x', 'y', 'z']) {
        await owner.hold(id, 1);
        const snapshot = versioned('1');
        await show(owner, { ...snapshot, server: { ...snapshot.server, id } });
        await eventually(() => expect(seen(other, id)).toEqual(seen(owner, id)));
        expect(await look.exists(`t:{${id}}:snapshot`)).toBe(1);
      }
    } finally {
      look.disconnect();
    }
  });

  test('finds Redis through a sentinel', async () => {
    await using redis = await RedisServer.start();
    await using sentinel = await RedisServer.start(['--sentinel']);
    await sentinel.look.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(redis.port), '1');
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    await using owner = await RedisNode.start({ url, look: redis.look }, 'owner');
    await using other = await RedisNode.start({ url, look: redis.look }, 'other');
    await owner.hold('x', 1);
    await show(owner, versioned('1'));
    await eventually(() => expect(seen(other, 'x')).toEqual(seen(owner, 'x')));
  });
});
