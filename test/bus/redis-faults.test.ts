import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Agent } from '../../src/domain/index.js';
import { emptyChange } from '../../src/state/index.js';
import { agentOf } from '../support/arbitraries.js';
import { settled } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { events, eventually, notice, seen, show, versioned } from './contract.js';
import { LEASE_MS, RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

/** Two nodes, the first of which holds x. */
async function twoNodes(redis: RedisServer): Promise<{ holder: RedisNode; other: RedisNode } & AsyncDisposable> {
  const holder = await RedisNode.start(redis, 'holder');
  const other = await RedisNode.start(redis, 'other');
  await holder.hold('x', 1);
  return {
    holder,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await holder[Symbol.asyncDispose]();
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

/** A node that came later has looked, until it has found the server. */
function joined(holder: RedisNode, late: RedisNode): Promise<void> {
  return eventually(
    () => {
      expect(seen(holder, 'x')).not.toBeNull();
      expect(seen(late, 'x')).toEqual(seen(holder, 'x'));
    },
    () => late.look(),
  );
}

/** Heartbeats pass until the links are up, or down. */
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

async function tell(node: RedisNode, message: string): Promise<void> {
  await node.bus.publish({ ...emptyChange('x'), events: [notice(message)] });
}

/** What the node has published is in Redis. */
async function written(node: RedisNode, serverId = 'x'): Promise<void> {
  await node.bus.written(serverId);
}

let shared: RedisServer;
beforeAll(async () => {
  if (here) shared = await RedisServer.start();
});
afterAll(async () => {
  if (here) await shared[Symbol.asyncDispose]();
});

/** The Redis of the tests that neither stop nor end it. */
async function emptied(): Promise<RedisServer> {
  await shared.look.flushall();
  return shared;
}

describe.skipIf(!here)(`a bus on Redis that fails${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('a node that comes later gets the picture that is there', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    await show(nodes.holder, versioned('1'));
    await written(nodes.holder);
    await using late = await RedisNode.start(redis, 'late');
    await joined(nodes.holder, late);
    expect(events(late)).toEqual([]);
  });

  test('after a lost message the next one brings the picture, and says that events were missed', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    holder.fate = () => 'lost';
    await tell(holder, 'lost');
    await written(holder);
    holder.fate = () => 'sent';
    await show(holder, versioned('2'));
    await tell(holder, 'sent');
    await same(holder, other);
    await eventually(() => expect(events(other)).toHaveLength(2));
    expect(events(other)).toEqual([expect.stringMatching(/^events of x may have been missed/), 'sent']);
  });

  test('what a lost message told is not left out though the next one tells of another agent', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    const [one, two] = ['a', 'b'].map((id) => fc.sample(agentOf('x', id), { numRuns: 1, seed: 1 })[0]);
    if (one === undefined || two === undefined) throw new Error('no sample');
    const showAgents = (...agents: readonly Agent[]): Promise<void> => show(holder, { ...versioned('1'), agents });
    await showAgents(one, two);
    await same(holder, other);
    holder.fate = () => 'lost';
    await showAgents({ ...one, name: 'changed' }, two);
    await written(holder);
    holder.fate = () => 'sent';
    await showAgents({ ...one, name: 'changed' }, { ...two, name: 'changed' });
    await same(holder, other);
  });

  test('a message that is on its way while a node looks is waited for, and the picture is not read for it', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    const { resyncs } = other.bus.figures();
    const publish = holder.link.publish.bind(holder.link);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    holder.link.publish = async (channel, message) => {
      await held;
      await publish(channel, message);
    };
    const before = await positionIn(redis, holder);
    await show(holder, versioned('2'));
    await eventually(async () => expect(await positionIn(redis, holder)).not.toBe(before));
    const asked = vi.spyOn(other.link.commands, 'hget');
    other.look();
    await eventually(() => expect(asked).toHaveBeenCalled());
    await Promise.all(asked.mock.results.map(({ value }) => value as Promise<unknown>)); // what hget gives
    // Whatever follows from the answer is asked before this.
    await other.link.commands.ping();
    letGo();
    await same(holder, other);
    expect(other.bus.figures().resyncs).toBe(resyncs);
  });

  test('a last message that was lost is found when two looks have missed it', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    holder.fate = () => 'lost';
    await show(holder, versioned('2'));
    await tell(holder, 'lost');
    await written(holder);
    expect(other.store.servers.get('x')?.version).toBe('1');
    const look = (): void => other.look();
    await eventually(() => expect(seen(other, 'x')).toEqual(seen(holder, 'x')), look);
    await eventually(
      () => expect(events(other)).toEqual([expect.stringMatching(/^events of x may have been missed/)]),
      look,
    );
  });

  test('a message that could not be published is told with the next one, and nothing is missed', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    holder.fate = () => 'failed';
    await show(holder, versioned('2'));
    await tell(holder, 'one');
    await written(holder);
    holder.fate = () => 'sent';
    await tell(holder, 'two');
    await same(holder, other);
    await eventually(() => expect(events(other)).toEqual(['one', 'two']));
  });

  test('a message that comes while the picture is being read is not forgotten', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    const channel = holder.link.names.changes('x');
    let heard = 0;
    await using _ears = await other.link.subscribe(channel, () => (heard += 1));
    let letGo: () => void = () => undefined;
    const isHeld = new Promise<void>((held) => {
      vi.spyOn(other.link.commands, 'hgetall').mockImplementationOnce(async (key) => {
        const fields = await redis.look.hgetall(key);
        held();
        await new Promise<void>((resolve) => (letGo = resolve));
        return fields;
      });
    });
    await redis.look.publish(channel, 'garbage');
    await isHeld;
    await show(holder, versioned('2'));
    await eventually(() => expect(heard).toBe(2));
    await settled();
    expect(other.store.servers.get('x')?.version).toBe('1');
    letGo();
    await same(holder, other);
  });

  test.each<[string, unknown]>([
    ['no JSON', 'garbage'],
    ['no message', '{"a":1}'],
    ['an older version', JSON.stringify([0, 1, 2, 0, 'someone', {}])],
    [
      'another server’s agents',
      JSON.stringify([1, 1, 9, 0, 'someone', { re: [], s: { ...versioned('9').server, id: 'y' } }]),
    ],
    ['a message that is far ahead', JSON.stringify([1, 1, 9_000, 0, 'someone', {}])],
    [
      'a patch of an agent that nobody knows',
      JSON.stringify([1, 1, 2, 0, 'someone', { p: [['nobody', { name: 'n' }]] }]),
    ],
  ])('%s on the channel ends in the right picture', async (_name, text) => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    holder.fate = () => 'lost';
    await show(holder, versioned('2'));
    await written(holder);
    await redis.look.publish(holder.link.names.changes('x'), String(text));
    await same(holder, other);
    holder.fate = () => 'sent';
    await show(holder, versioned('3'));
    await same(holder, other);
  });

  test('messages of an older term, of an earlier moment, and messages that come twice, change nothing', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await holder.hold('x', 7);
    holder.fate = () => 'doubled';
    await show(holder, versioned('1'));
    await same(holder, other);
    const heard: unknown[] = [];
    other.bus.subscribe(({ server }) => heard.push(server?.version));
    const earlier = JSON.stringify([1, 7, 1, 0, 'someone', { s: versioned('old').server }]);
    await redis.look.publish(holder.link.names.changes('x'), earlier);
    const old = JSON.stringify([1, 6, 99, 0, 'someone', { s: versioned('old').server, v: [notice('old')] }]);
    await redis.look.publish(holder.link.names.changes('x'), old);
    await tell(holder, 'twice');
    await show(holder, versioned('2'));
    await same(holder, other);
    expect(events(other)).toEqual(['twice']);
    expect(heard).not.toContain('old');
  });

  test('while Redis is stopped the holder stays live, others show stale values, and nothing is kept; then all is right', async () => {
    await using redis = await RedisServer.start();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('0'));
    await same(holder, other);
    redis.pause();
    // Some of these are under way when it is noticed.
    for (let version = 1; version <= 10; version += 1) await show(holder, versioned(`early ${version}`));
    await linked(false, holder, other);
    expect(staleness(other)).toEqual([
      true,
      'OFFLINE',
      expect.stringMatching(/^Redis is away: Redis at 127\.0\.0\.1:\d+: /),
    ]);
    expect(staleness(holder)).toEqual([false, 'ONLINE', null]);
    await written(holder);
    const before = holder.published;
    for (let version = 1; version <= 1_000; version += 1) await show(holder, versioned(String(version)));
    await settled();
    expect(holder.published).toBe(before);
    expect(holder.store.servers.get('x')?.version).toBe('1000');
    redis.resume();
    await linked(true, holder, other);
    await same(holder, other);
    expect(holder.published - before).toBeLessThanOrEqual(5);
  });

  test('a Redis that is killed and comes back empty has the picture again', async () => {
    await using redis = await RedisServer.start();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    await redis.kill();
    await linked(false, holder, other);
    await show(holder, versioned('2'));
    expect(staleness(other)).toEqual([true, 'OFFLINE', expect.stringMatching(/^Redis is away/)]);
    await redis.restart();
    await linked(true, holder, other);
    await holder.hold('x', 1);
    await same(holder, other);
    await using late = await RedisNode.start(redis, 'late');
    await joined(holder, late);
  });

  test('a Redis that lost everything without going away is filled again though nothing changes', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    await show(holder, versioned('1'));
    await same(holder, other);
    await redis.look.flushall();
    await holder.hold('x', 1);
    holder.look();
    await eventually(() => expect(holder.written).toHaveLength(2));
    await using late = await RedisNode.start(redis, 'late');
    await joined(holder, late);
    await same(holder, other);
  });

  test('a holder that has lost its server is ignored, told, and follows the new one', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder: first, other: third } = nodes;
    await using second = await RedisNode.start(redis, 'second');
    await show(first, versioned('1'));
    await same(first, third);
    await second.hold('x', 2);
    await second.bus.synced('x');
    expect(second.store.servers.get('x')?.version).toBe('1');
    await show(second, versioned('2'));
    await same(second, third);
    expect(first.fenced).toEqual([]);
    await show(first, versioned('of the past'));
    await written(first);
    expect(first.fenced).toEqual(['x']);
    await show(first, versioned('of the past, again'));
    await written(first);
    expect(first.fenced).toEqual(['x']);
    expect(third.store.servers.get('x')?.version).toBe('2');
    first.lose('x');
    first.look();
    await same(second, first);
    await show(second, versioned('3'));
    await same(second, first);
    await same(second, third);
  });

  test('a server that nobody watches is stale after a lease time, and gone when its picture has lapsed', async () => {
    const redis = await emptied();
    await using nodes = await twoNodes(redis);
    const { holder, other } = nodes;
    const { names } = holder.link;
    await show(holder, versioned('1'));
    await same(holder, other);
    await redis.look.del(names.key('x', 'lease'));
    const look = (): void => other.look();
    await eventually(() => expect(staleness(other)).toEqual([true, 'OFFLINE', 'no node watches it']), look);
    await holder.hold('x', 1);
    await eventually(() => expect(staleness(other)).toEqual([false, 'ONLINE', null]), look);
    await redis.look.del(names.key('x', 'picture'), names.shared('servers'));
    expect(seen(other, 'x')).not.toBeNull();
    await eventually(() => expect(seen(other, 'x')).toBeNull(), look);
  });

  test('every key of the bus lapses by itself, and a node that left hears nothing any more', async () => {
    await using redis = await RedisServer.start();
    {
      await using node = await RedisNode.start(redis, 'one');
      await node.hold('x', 1);
      await show(node, versioned('1'));
      await written(node);
      node.look();
      await eventually(() => expect(node.clock.pending).toBeGreaterThan(0));
    }
    await redis.look.del('t:{x}:term', 't:{x}:lease');
    for (const key of await redis.look.keys('*')) {
      const lifeMs = await redis.look.pttl(key);
      expect(lifeMs).toBeGreaterThan(0);
      expect(lifeMs).toBeLessThanOrEqual(12 * LEASE_MS);
    }
    expect(await redis.look.pubsub('NUMPAT')).toBe(0);
    expect(
      String(await redis.look.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(1);
  });
});

/** Where the picture of x in Redis stands. */
function positionIn({ look }: RedisServer, { link }: RedisNode): Promise<string | null> {
  return look.hget(link.names.key('x', 'picture'), 'at');
}
