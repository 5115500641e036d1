import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Listeners } from '../../src/shared/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';
import { LEASE_MS, Nodes, TestNode } from './test-node.js';

const here = hasRedis({ own: true });

let redis: RedisServer;
beforeAll(async () => {
  if (here) redis = await RedisServer.start();
});
afterAll(async () => {
  if (here) await redis[Symbol.asyncDispose]();
});

async function emptied(): Promise<Nodes> {
  await redis.look.flushall();
  return new Nodes(redis.url);
}

/** Moves a node's clock on by one renewal, again and again, until something is so. */
async function rounds(nodes: Nodes, clock: ManualClock, isReached: () => boolean): Promise<number> {
  let count = 0;
  const isReachedNow = async (): Promise<boolean> => {
    if (isReached()) return true;
    count += 1;
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    return false;
  };
  await waitUntil(isReachedNow, { state: () => ({ count, nodes: nodes.state() }), intervalMs: 0 });
  return count;
}

/** Whatever any node has asked Redis is answered, and so is what it asked next. */
async function roundTrip(nodes: Nodes): Promise<void> {
  for (let time = 0; time < 12; time += 1) {
    await Promise.all(nodes.all.map(({ link }) => link.commands.ping().catch(() => undefined)));
    await settled();
  }
}

function sorted(node: TestNode): string[] {
  return node.watched.sort();
}

describe.skipIf(!here)(`leases${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('of all servers are taken by a node that is alone, each with a term, once it knows their pictures', async () => {
    await using nodes = await emptied();
    const node = await nodes.join('one', ['a', 'b', 'ü {x}']);
    await nodes.until(() => node.watched.length === 3);
    for (const [serverId, claim] of node.claims) {
      expect(claim.terms).toEqual([node.leases.termOf(serverId)]);
      expect(node.synced).toContain(serverId);
      const [lease, term] = await Promise.all(
        (['lease', 'term'] as const).map((kind) => redis.look.get(node.link.names.key(serverId, kind))),
      );
      expect([lease, term]).toEqual([`one ${claim.terms[0]}`, `${claim.terms[0]}`]);
      await node.settled(serverId);
    }
    expect(node.leases.others.serverIds).toEqual([]);
    expect(node.leases.termOf('nobody')).toBeNull();
  });

  test('are looked for no further where a server is watched already', async () => {
    await using nodes = await emptied();
    const one = await nodes.join('one', ['a']);
    await nodes.until(() => one.watched.length === 1);
    const two = await nodes.join('two', ['a']);
    await two.settled('a');
    expect(two.synced).toEqual(['a']);
    expect([one.watched, two.watched]).toEqual([['a'], []]);
    expect(two.leases.others.serverIds).toEqual(['a']);
  });

  test('that are given up are taken by those that stay, at once: no clock has to move for that', async () => {
    await using nodes = await emptied();
    const ids = ['a', 'b', 'c', 'd'];
    const first = await nodes.join('first', ids, { clock: new ManualClock() });
    await nodes.until(() => first.watched.length === 4);
    const others = [
      await nodes.join('second', ids, { clock: new ManualClock() }),
      await nodes.join('third', ids, { clock: new ManualClock() }),
    ];
    for (const node of others) for (const id of ids) await node.settled(id);
    await first[Symbol.asyncDispose]();
    await nodes.until(() => others.every(({ watched }) => watched.length === 2));
    for (const id of ids) expect(nodes.watching(id)).toHaveLength(1);
  });

  test('of a node that has vanished lapse within their time, and are taken in the next round', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const first = await nodes.join('first', ['a', 'b'], { leaseMs: LEASE_MS });
    await nodes.until(() => first.watched.length === 2);
    const terms = ['a', 'b'].map((id) => first.leases.termOf(id) ?? NaN);
    const second = await nodes.join('second', ['a', 'b'], { clock, leaseMs: LEASE_MS });
    for (const id of ['a', 'b']) await second.settled(id);
    await first.vanish();
    // That they lapse is Redis' affair; here it is made to happen at once.
    for (const id of ['a', 'b']) {
      const key = first.link.names.key(id, 'lease');
      expect(await redis.look.pttl(key)).toBeLessThanOrEqual(LEASE_MS);
      await redis.look.del(key);
    }
    await redis.look.zrem(first.link.names.shared('nodes'), 'first');
    expect(second.watched).toEqual([]);
    expect(await rounds(nodes, clock, () => second.watched.length === 2)).toBeLessThanOrEqual(1);
    ['a', 'b'].forEach((id, index) => expect(second.leases.termOf(id)).toBeGreaterThan(terms[index] ?? NaN));
  });

  test('lapse by themselves, too', async () => {
    await using nodes = await emptied();
    const first = await nodes.join('first', ['a'], { leaseMs: 200 });
    await nodes.until(() => first.watched.length === 1);
    const second = await nodes.join('second', ['a'], { leaseMs: 200 });
    await second.settled('a');
    await first.vanish();
    await nodes.until(() => second.watched.length === 1);
  });

  test('are spread over nodes that join, one by one, and those that cannot move stay', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const first = await nodes.join('first', ids, { clock });
    for (const id of ['x', 'y', 'z']) first.claim(id, false);
    await nodes.until(() => first.watched.length === 9);
    const joined = [await nodes.join('second', ids, { clock }), await nodes.join('third', ids, { clock })];
    for (const node of joined) for (const id of ids) await node.settled(id);
    let most = 0;
    let before = first.watched.length;
    const count = await rounds(nodes, clock, () => {
      most = Math.max(most, before - first.watched.length);
      before = first.watched.length;
      return joined.every(({ watched }) => watched.length === 2);
    });
    expect(most).toBe(1);
    expect(count).toBeLessThanOrEqual(6);
    expect(first.watched.filter((id) => 'xyz'.includes(id))).toEqual(['x', 'y', 'z']);
    // And then there is rest.
    const spread = nodes.all.map(sorted);
    for (let time = 0; time < 5; time += 1) {
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
    }
    expect(nodes.all.map(sorted)).toEqual(spread);
  });

  test('that nobody else would have are taken in the end by one that has its share, and kept', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const one = await nodes.join('one', [], { clock });
    const idle = await nodes.join('idle', [], { clock });
    await roundTrip(nodes);
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect(one.leases.nodes).toHaveLength(2);
    for (const id of ['a', 'b', 'c']) one.claim(id);
    await nodes.until(() => one.watched.length === 2);
    await rounds(nodes, clock, () => one.watched.length === 3);
    for (let time = 0; time < 6; time += 1) {
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
    }
    expect([...one.claims.values()].map(({ losses }) => losses)).toEqual([0, 0, 0]);
    expect(idle.watched).toEqual([]);
  });

  test('outlive a Redis that is emptied: the same node, the same term', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const node = await nodes.join('one', ['a'], { clock });
    await nodes.until(() => node.watched.length === 1);
    const lease = await redis.look.get(node.link.names.key('a', 'lease'));
    await redis.look.flushall();
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect(await redis.look.get(node.link.names.key('a', 'lease'))).toBe(lease);
    expect([node.claims.get('a')?.terms.length, node.claims.get('a')?.losses]).toEqual([1, 0]);
  });

  test.each([true, false])(
    'are not taken from their holder when Redis was emptied, though others look first (movable: %s)',
    async (movable) => {
      await using nodes = await emptied();
      const [clock, otherClock] = [new ManualClock(), new ManualClock()];
      const holder = await nodes.join('holder', [], { clock });
      holder.claim('a', movable);
      await nodes.until(() => holder.watched.length === 1);
      const other = await nodes.join('other', [], { clock: otherClock });
      other.claim('a', movable);
      await other.settled('a');
      const term = holder.leases.termOf('a');
      await redis.look.flushall();
      otherClock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      otherClock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      expect([holder.leases.termOf('a'), holder.claims.get('a')?.losses, other.watched]).toEqual([term, 0, []]);
      // One that does not come back is followed all the same.
      await holder.vanish();
      await redis.look.flushall();
      await rounds(nodes, otherClock, () => other.watched.length === 1);
    },
  );

  test('are lost to whoever has taken them meanwhile, with a greater term, even from an emptied Redis', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const stopped = await nodes.join('stopped', ['a'], { clock });
    await nodes.until(() => stopped.watched.length === 1);
    const term = stopped.leases.termOf('a') ?? NaN;
    await redis.look.flushall();
    // It hears of nothing, as a node whose network is gone.
    await redis.look.client('KILL', 'TYPE', 'pubsub');
    const other = await nodes.join('other', ['a'], { clock: new ManualClock() });
    await nodes.until(() => other.watched.length === 1);
    expect(other.leases.termOf('a')).toBeGreaterThan(term);
    clock.advance(LEASE_MS / 3);
    await nodes.until(() => stopped.watched.length === 0);
    expect(stopped.claims.get('a')?.losses).toBe(1);
    expect(stopped.leases.termOf('a')).toBeNull();
    expect(nodes.watching('a')).toEqual(['other']);
  });

  test('are kept while Redis is away, and by the same node when it is back and empty', async () => {
    await using own = await RedisServer.start();
    await using nodes = new Nodes(own.url);
    const node = await nodes.join('one', ['a'], { leaseMs: 200 });
    await nodes.until(() => node.watched.length === 1);
    const term = node.leases.termOf('a');
    await own.kill();
    await waitUntil(() => !node.link.isUp, { state: () => nodes.state() });
    expect(node.leases.termOf('a')).toBe(term);
    await own.restart();
    const key = node.link.names.key('a', 'lease');
    let lease: string | null = null;
    await waitUntil(async () => (lease = await own.look.get(key)) === `one ${term}`, { state: () => lease });
    expect([node.watched, node.claims.get('a')?.losses]).toEqual([['a'], 0]);
  });

  test('may be claimed again at once by whoever has given them up', async () => {
    await using nodes = await emptied();
    const node = await nodes.join('one', ['a'], { clock: new ManualClock() });
    await nodes.until(() => node.watched.length === 1);
    const term = node.leases.termOf('a') ?? NaN;
    const gone = node.giveUp('a');
    const again = node.claim('a');
    await gone;
    await nodes.until(() => again.isWatched);
    expect(again.terms[0]).toBeGreaterThan(term);
  });

  test('are not waited for when a node ends that has never reached Redis', async () => {
    await using node = new TestNode('one', 'redis://127.0.0.1:1', new Listeners());
    node.claim('a');
    await settled();
    expect([node.link.isUp, node.watched]).toEqual([false, []]);
  });
});
