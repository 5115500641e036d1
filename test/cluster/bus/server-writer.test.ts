import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerWriter } from '../../../src/cluster/bus/server-writer.js';
import { settled } from '../../support/manual-clock.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { notice, versioned } from './contract.js';
import { RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

let redis: RedisServer;
beforeAll(async () => {
  if (here) redis = await RedisServer.start();
});
afterAll(async () => {
  if (here) await redis[Symbol.asyncDispose]();
});

/** Creates a writer for x, whose publications the test lets through one by one. */
async function createWriter() {
  await redis.look.flushall();
  const node = await RedisNode.start(redis, 'owner');
  const held: (() => void)[] = [];
  const published: unknown[] = [];
  const publish = node.link.publish.bind(node.link);
  node.link.publish = async (channel, message) => {
    published.push(message);
    await new Promise<void>((resolve) => held.push(resolve));
    await publish(channel, message);
  };
  const written: number[] = [];
  const writer = new ServerWriter(
    'x',
    1,
    { events: 0, messages: 0 },
    {
      link: node.link,
      store: node.store,
      clock: node.clock,
      logger: silentLogger,
      snapshotTtlMs: 60_000,
      onFenced: () => undefined,
      onSnapshotWritten: () => undefined,
      onWritten: ({ revision }) => written.push(revision),
    },
  );
  const commit = (version: string): void => {
    node.store.commit({ ...node.store.diff(versioned(version), null), events: [notice(version)] });
  };
  /** Resolves when the writer waits for a publication. */
  const untilHeld = async (): Promise<void> => {
    while (held.length === 0) {
      await node.link.commands.ping();
      await settled();
    }
  };
  const position = (): Promise<string | null> => redis.look.hget(node.link.keys.key('x', 'snapshot'), 'at');
  const letThrough = (): void => held.splice(0).forEach((resolve) => resolve());
  return { node, writer, commit, untilHeld, letThrough, published, written, position };
}

describe.skipIf(!here)(`ServerWriter${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('completes its write when it is closed, and starts no further one', async () => {
    const { node, writer, commit, untilHeld, letThrough, published, written, position } = await createWriter();
    await using _node = node;
    commit('1');
    writer.scheduleWrite();
    await untilHeld();
    commit('2');
    writer.scheduleWrite();
    const closed = writer[Symbol.asyncDispose]();
    letThrough();
    await closed;
    expect([published.length, written.length, await position()]).toEqual([1, 1, '[1,1]']);
    await redis.look.hset(node.link.keys.key('x', 'snapshot'), 'signedAtMs', '0');
    commit('3');
    writer.scheduleWrite();
    await writer.flush();
    await writer.renew();
    await node.link.commands.ping();
    expect([published.length, written.length, await position()]).toEqual([1, 1, '[1,1]']);
    expect(await redis.look.hget(node.link.keys.key('x', 'snapshot'), 'signedAtMs')).toBe('0');
  });

  test('writes nothing more when a write is rejected because of a later owner', async () => {
    const { node, writer, commit, published, position } = await createWriter();
    await using _node = node;
    await redis.look.set(node.link.keys.key('x', 'fence'), 2);
    commit('1');
    writer.scheduleWrite();
    await writer.flush();
    await redis.look.del(node.link.keys.key('x', 'fence'));
    commit('2');
    writer.scheduleWrite();
    await writer.flush();
    expect([published, await position()]).toEqual([[], null]);
  });

  test('sends other nodes to the snapshot when its changes exceed the length of a message', async () => {
    const { node, writer, untilHeld, letThrough, published } = await createWriter();
    await using _node = node;
    const publish = node.link.publish.bind(node.link);
    let attempts = 0;
    node.link.publish = async (channel, message) => {
      attempts += 1;
      await publish(channel, message);
    };
    const long = 'x'.repeat(1_048_576);
    node.store.commit({ ...node.store.diff(versioned('1'), null), events: [notice(long)] });
    writer.scheduleWrite();
    await untilHeld();
    letThrough();
    while (attempts < 2) await settled();
    await untilHeld();
    letThrough();
    await writer.flush();
    expect(published.at(-1)).toEqual([
      1,
      1,
      expect.any(Number),
      { g: 1, v: [expect.objectContaining({ code: 'EVENTS_MISSED' })] },
    ]);
  });
});
