import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Agent } from '../../../src/model/index.js';
import { emptyDelta } from '../../../src/state/index.js';
import { agentOf } from '../../support/arbitraries.js';
import { settled } from '../../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { events, eventually, notice, seen, show, versioned } from './contract.js';
import { LEASE_MS, RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

/** Starts two nodes, the first of which owns x. */
async function twoNodes(redis: RedisServer): Promise<{ owner: RedisNode; other: RedisNode } & AsyncDisposable> {
  const owner = await RedisNode.start(redis, 'owner');
  const other = await RedisNode.start(redis, 'other');
  await owner.hold('x', 1);
  return {
    owner,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await owner[Symbol.asyncDispose]();
    },
  };
}

function same(one: RedisNode, another: RedisNode, serverId = 'x'): Promise<void> {
  return eventually(
    () => {
      expect(seen(one, serverId)).not.toBeNull();
      expect(seen(another, serverId)).toEqual(seen(one, serverId));
    },
    () => [one, another].forEach((node) => node.revive()),
  );
}

/** Verifies until a node that started later has the snapshot of the owner. */
function joined(owner: RedisNode, late: RedisNode): Promise<void> {
  return eventually(
    () => {
      expect(seen(owner, 'x')).not.toBeNull();
      expect(seen(late, 'x')).toEqual(seen(owner, 'x'));
    },
    () => late.verify(),
  );
}

/** Lets heartbeats pass until all links are up or down. */
function linked(isUp: boolean, ...nodes: readonly RedisNode[]): Promise<void> {
  return eventually(
    () => expect(nodes.map(({ link }) => link.isUp)).toEqual(nodes.map(() => isUp)),
    () => {
      for (const { link, linkClock } of nodes) if (link.isUp !== isUp) linkClock.advance(250);
    },
  );
}

function staleness(node: RedisNode): unknown {
  const server = node.store.servers.get('x');
  return server && [server.stale, server.status, server.lastError];
}

async function publishEvent(node: RedisNode, message: string): Promise<void> {
  await node.bus.publish({ ...emptyDelta('x'), events: [notice(message)] });
}

/** Resolves when everything that the node has published is in Redis. */
async function written(node: RedisNode, serverId = 'x'): Promise<void> {
  await node.bus.flush(serverId);
}

let shared: RedisServer;
beforeAll(async () => {
  if (here) shared = await RedisServer.start();
});
afterAll(async () => {
  if (here) await shared[Symbol.asyncDispose]();
});

/** Returns the shared Redis, emptied. Tests that stop Redis start their own. */
async function emptied(): Promise<RedisServer> {
  await shared.look.flushall();
  return shared;
}

describe.skipIf(!here)(`RedisBus${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('reads the existing snapshot when a node starts later', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    await show(nodes.owner, versioned('1'));
    await written(nodes.owner);
    await using late = await RedisNode.start(redis, 'late');
    await joined(nodes.owner, late);
    expect(events(late)).toEqual([]);
  });

  test('rereads the snapshot after a lost message, and reports that events may be missing', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    owner.fate = () => 'lost';
    await publishEvent(owner, 'lost');
    await written(owner);
    owner.fate = () => 'sent';
    await show(owner, versioned('2'));
    await publishEvent(owner, 'sent');
    await same(owner, other);
    await eventually(() => expect(events(other)).toHaveLength(2));
    expect(events(other)).toEqual([expect.stringMatching(/^Events of x may be missing/), 'sent']);
  });

  test('applies the change of a lost message when the next message changes another agent', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    const [one, two] = ['a', 'b'].map((id) => fc.sample(agentOf('x', id), { numRuns: 1, seed: 1 })[0]);
    if (one === undefined || two === undefined) throw new Error('no sample');
    const showAgents = (...agents: readonly Agent[]): Promise<void> => show(owner, { ...versioned('1'), agents });
    await showAgents(one, two);
    await same(owner, other);
    owner.fate = () => 'lost';
    await showAgents({ ...one, name: 'changed' }, two);
    await written(owner);
    owner.fate = () => 'sent';
    await showAgents({ ...one, name: 'changed' }, { ...two, name: 'changed' });
    await same(owner, other);
  });

  test('does not reread the snapshot when a message is in flight during verification', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    const { resyncs } = other.bus.stats();
    const publish = owner.link.publish.bind(owner.link);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    owner.link.publish = async (channel, message) => {
      await held;
      await publish(channel, message);
    };
    const before = await positionIn(redis, owner);
    await show(owner, versioned('2'));
    await eventually(async () => expect(await positionIn(redis, owner)).not.toBe(before));
    const hget = vi.spyOn(other.link.commands, 'hget');
    other.verify();
    await eventually(() => expect(hget).toHaveBeenCalled());
    await Promise.all(hget.mock.results.map(({ value }) => value as Promise<unknown>)); // hget returns promises
    // Redis handles commands in order, so this answer follows those of all commands before it.
    await other.link.commands.ping();
    letGo();
    await same(owner, other);
    expect(other.bus.stats().resyncs).toBe(resyncs);
  });

  test('rereads the snapshot when two verifications miss a message that was lost', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    owner.fate = () => 'lost';
    await show(owner, versioned('2'));
    await publishEvent(owner, 'lost');
    await written(owner);
    expect(other.store.servers.get('x')?.version).toBe('1');
    const verify = (): void => other.verify();
    await eventually(() => expect(seen(other, 'x')).toEqual(seen(owner, 'x')), verify);
    await eventually(
      () => expect(events(other)).toEqual([expect.stringMatching(/^Events of x may be missing/)]),
      verify,
    );
  });

  test('includes the changes of a message that could not be published in the next one', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    owner.fate = () => 'failed';
    await show(owner, versioned('2'));
    await publishEvent(owner, 'one');
    await written(owner);
    owner.fate = () => 'sent';
    await publishEvent(owner, 'two');
    await same(owner, other);
    await eventually(() => expect(events(other)).toEqual(['one', 'two']));
  });

  test('applies a message that arrives while the snapshot is being read', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    const channel = owner.link.keys.changes('x');
    let received = 0;
    await using _subscription = await other.link.subscribe(channel, () => (received += 1));
    let letGo: () => void = () => undefined;
    const isHeld = new Promise<void>((held) => {
      vi.spyOn(other.link.commands, 'hgetall').mockImplementationOnce(async (key) => {
        const fields = await redis.look.hgetall(key);
        held();
        await new Promise<void>((resolve) => (letGo = resolve));
        return fields;
      });
    });
    await owner.link.publish(channel, 'garbage');
    await isHeld;
    await show(owner, versioned('2'));
    await eventually(() => expect(received).toBe(2));
    await settled();
    expect(other.store.servers.get('x')?.version).toBe('1');
    letGo();
    await same(owner, other);
  });

  test.each<[string, unknown]>([
    ['invalid JSON', undefined],
    ['JSON of another shape', { a: 1 }],
    ['another server’s agents', [1, 9, 0, { re: [], s: { ...versioned('9').server, id: 'y' } }]],
    ['a message that is far ahead', [1, 9_000, 0, {}]],
    ['a patch of an unknown agent', [1, 2, 0, { p: [['unknown', { name: 'n' }]] }]],
  ])('ends up with the right snapshot after %s on the channel', async (_name, message) => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    owner.fate = () => 'lost';
    await show(owner, versioned('2'));
    await written(owner);
    owner.fate = () => 'sent';
    await owner.link.publish(owner.link.keys.changes('x'), message);
    await same(owner, other);
    await show(owner, versioned('3'));
    await same(owner, other);
  });

  test('ignores messages with an older fencing token, earlier messages and repeated messages', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await owner.hold('x', 7);
    owner.fate = () => 'doubled';
    await show(owner, versioned('1'));
    await same(owner, other);
    const received: unknown[] = [];
    other.bus.subscribe(({ server }) => received.push(server?.version));
    const earlier = [7, 1, 0, { s: versioned('old').server }];
    const old = [6, 99, 0, { s: versioned('old').server, v: [notice('old')] }];
    for (const message of [earlier, old]) await owner.link.publish(owner.link.keys.changes('x'), message);
    await publishEvent(owner, 'twice');
    await show(owner, versioned('2'));
    await same(owner, other);
    expect(events(other)).toEqual(['twice']);
    expect(received).not.toContain('old');
  });

  test('marks servers of other nodes as stale and queues nothing while Redis is stopped', async () => {
    await using redis = await RedisServer.start();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('0'));
    await same(owner, other);
    redis.pause();
    // Some of these are in flight when the link goes down.
    for (let version = 1; version <= 10; version += 1) await show(owner, versioned(`early ${version}`));
    await linked(false, owner, other);
    expect(staleness(other)).toEqual([
      true,
      'OFFLINE',
      expect.stringMatching(/^Redis unavailable: Redis at 127\.0\.0\.1:\d+: /),
    ]);
    expect(staleness(owner)).toEqual([false, 'ONLINE', null]);
    await written(owner);
    const before = owner.published;
    for (let version = 1; version <= 1_000; version += 1) await show(owner, versioned(String(version)));
    await settled();
    expect(owner.published).toBe(before);
    expect(owner.store.servers.get('x')?.version).toBe('1000');
    redis.resume();
    await linked(true, owner, other);
    await same(owner, other);
    expect(owner.published - before).toBeLessThanOrEqual(5);
  });

  test('rewrites all snapshots when Redis was killed and comes back empty', async () => {
    await using redis = await RedisServer.start();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    await redis.kill();
    await linked(false, owner, other);
    await show(owner, versioned('2'));
    expect(staleness(other)).toEqual([true, 'OFFLINE', expect.stringMatching(/^Redis unavailable/)]);
    await redis.restart();
    await linked(true, owner, other);
    await owner.hold('x', 1);
    await same(owner, other);
    await using late = await RedisNode.start(redis, 'late');
    await joined(owner, late);
  });

  test('rewrites all snapshots when Redis loses its data without disconnecting', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    await show(owner, versioned('1'));
    await same(owner, other);
    await redis.look.flushall();
    await owner.hold('x', 1);
    owner.verify();
    await eventually(() => expect(owner.written).toHaveLength(2));
    await using late = await RedisNode.start(redis, 'late');
    await joined(owner, late);
    await same(owner, other);
  });

  test('rejects the writes of a previous owner, which then follows the new owner', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner: first, other: third } = nodes;
    await using second = await RedisNode.start(redis, 'second');
    await show(first, versioned('1'));
    await same(first, third);
    await second.hold('x', 2);
    await second.bus.pull('x');
    expect(second.store.servers.get('x')?.version).toBe('1');
    await show(second, versioned('2'));
    await same(second, third);
    expect(first.fenced).toEqual([]);
    await show(first, versioned('outdated'));
    await written(first);
    expect(first.fenced).toEqual(['x']);
    await show(first, versioned('outdated again'));
    await written(first);
    expect(first.fenced).toEqual(['x']);
    expect(third.store.servers.get('x')?.version).toBe('2');
    first.lose('x');
    first.verify();
    await same(second, first);
    await show(second, versioned('3'));
    await same(second, first);
    await same(second, third);
  });

  test('marks a server whose owner is silent as stale, and removes a server when its snapshot has expired', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { owner, other } = nodes;
    const { keys } = owner.link;
    await show(owner, versioned('1'));
    await same(owner, other);
    const verify = (): void => other.verify();
    other.bus.setOwnerSilence('x', 'its owner is silent');
    expect(staleness(other)).toEqual([true, 'OFFLINE', 'its owner is silent']);
    // Neither a verification nor a late message ends the staleness.
    await show(owner, versioned('2'));
    await eventually(() => expect(other.store.servers.get('x')?.version).toBe('2'), verify);
    expect(staleness(other)).toEqual([true, 'OFFLINE', 'its owner is silent']);
    other.bus.setOwnerSilence('x', null);
    await eventually(() => expect(staleness(other)).toEqual([false, 'ONLINE', null]), verify);
    await redis.look.del(keys.key('x', 'snapshot'), keys.shared('servers'));
    expect(seen(other, 'x')).not.toBeNull();
    await eventually(() => expect(seen(other, 'x')).toBeNull(), verify);
  });

  test('writes only keys that expire, and leaves no subscription when it is disposed', async () => {
    await using redis = await RedisServer.start();
    {
      await using node = await RedisNode.start(redis, 'one');
      await node.hold('x', 1);
      await show(node, versioned('1'));
      await written(node);
      node.verify();
      await eventually(() => expect(node.clock.pending).toBeGreaterThan(0));
    }
    await redis.look.del('t:{x}:fence');
    for (const key of await redis.look.keys('*')) {
      const lifeMs = await redis.look.pttl(key);
      expect(lifeMs).toBeGreaterThan(0);
      expect(lifeMs).toBeLessThanOrEqual(30 * LEASE_MS);
    }
    expect(await redis.look.pubsub('NUMPAT')).toBe(0);
    expect(
      String(await redis.look.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(1);
  });
});

/** Returns the position of the snapshot of x in Redis. */
function positionIn({ look }: RedisServer, { link }: RedisNode): Promise<string | null> {
  return look.hget(link.keys.key('x', 'snapshot'), 'at');
}
