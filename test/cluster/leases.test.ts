import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisTime } from '../../src/cluster/redis/redis-time.js';
import { stampedValue } from '../../src/cluster/redis/stamped-value.js';
import { Emitter } from '../../src/shared/index.js';
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

/** Advances the clock by renewal intervals until the condition holds. Returns the number of intervals. */
async function countRounds(nodes: Nodes, clock: ManualClock, isReached: () => boolean): Promise<number> {
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

/** Waits until Redis has answered the commands of all nodes and the commands that follow from the answers. */
async function roundTrip(nodes: Nodes): Promise<void> {
  for (let time = 0; time < 12; time += 1) {
    await Promise.all(nodes.all.map(({ link }) => link.commands.ping().catch(() => undefined)));
    await settled();
  }
}

/** Returns node and fencing token of a lease. */
function holderIn(lease: string | null | undefined): string | null {
  return /^\S+ \S+ \S+ {2}(\S+ \d+)$/.exec(lease ?? '')?.[1] ?? null;
}

function sorted(node: TestNode): string[] {
  return node.owned.sort();
}

describe.skipIf(!here)(`LeaseManager${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('acquires all servers on a single node after it has read their snapshots', async () => {
    await using nodes = await emptied();
    const node = await nodes.join('one', ['a', 'b', 'ü {x}']);
    await nodes.until(() => node.owned.length === 3);
    for (const [serverId, claim] of node.claims) {
      expect(claim.tokens).toEqual([node.leases.tokenOf(serverId)]);
      expect(node.synced).toContain(serverId);
      const [lease, token] = await Promise.all(
        (['lease', 'fence'] as const).map((kind) => redis.look.get(node.link.keys.key(serverId, kind))),
      );
      expect([holderIn(lease), token]).toEqual([`one ${claim.tokens[0]}`, `${claim.tokens[0]}`]);
      await node.settled(serverId);
    }
    expect(node.leases.remote.serverIds).toEqual([]);
    expect(node.leases.tokenOf('unknown')).toBeNull();
  });

  test('follows a server that another node owns', async () => {
    await using nodes = await emptied();
    const one = await nodes.join('one', ['a']);
    await nodes.until(() => one.owned.length === 1);
    const two = await nodes.join('two', ['a']);
    await two.settled('a');
    expect(two.synced).toEqual(['a']);
    expect([one.owned, two.owned]).toEqual([['a'], []]);
    expect(two.leases.remote.serverIds).toEqual(['a']);
  });

  test('takes over released servers immediately', async () => {
    await using nodes = await emptied();
    const ids = ['a', 'b', 'c', 'd'];
    const first = await nodes.join('first', ids, { clock: new ManualClock() });
    await nodes.until(() => first.owned.length === 4);
    const others = [
      await nodes.join('second', ids, { clock: new ManualClock() }),
      await nodes.join('third', ids, { clock: new ManualClock() }),
    ];
    for (const node of others) for (const id of ids) await node.settled(id);
    await first[Symbol.asyncDispose]();
    await nodes.until(() => others.every(({ owned }) => owned.length === 2));
    for (const id of ids) expect(nodes.ownersOf(id)).toHaveLength(1);
  });

  test('takes over the servers of a vanished node in the next round after their leases have expired', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const first = await nodes.join('first', ['a', 'b'], { leaseMs: LEASE_MS });
    await nodes.until(() => first.owned.length === 2);
    const tokens = ['a', 'b'].map((id) => first.leases.tokenOf(id) ?? NaN);
    const second = await nodes.join('second', ['a', 'b'], { clock, leaseMs: LEASE_MS });
    for (const id of ['a', 'b']) await second.settled(id);
    await first.vanish();
    // The test deletes the leases instead of waiting until Redis expires them.
    for (const id of ['a', 'b']) {
      const key = first.link.keys.key(id, 'lease');
      expect(await redis.look.pttl(key)).toBeLessThanOrEqual(LEASE_MS);
      await redis.look.del(key);
    }
    await redis.look.zrem(first.link.keys.shared('nodes'), 'first');
    expect(second.owned).toEqual([]);
    expect(await countRounds(nodes, clock, () => second.owned.length === 2)).toBeLessThanOrEqual(1);
    ['a', 'b'].forEach((id, index) => expect(second.leases.tokenOf(id)).toBeGreaterThan(tokens[index] ?? NaN));
  });

  test('takes over the servers of a vanished node when Redis expires the leases', async () => {
    await using nodes = await emptied();
    const first = await nodes.join('first', ['a'], { leaseMs: 200 });
    await nodes.until(() => first.owned.length === 1);
    const second = await nodes.join('second', ['a'], { leaseMs: 200 });
    await second.settled('a');
    await first.vanish();
    await nodes.until(() => second.owned.length === 1);
  });

  test('moves servers to new nodes one by one, except those that are not transferable', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const first = await nodes.join('first', ids, { clock });
    for (const id of ['x', 'y', 'z']) first.claim(id, false);
    await nodes.until(() => first.owned.length === 9);
    const newcomers = [await nodes.join('second', ids, { clock }), await nodes.join('third', ids, { clock })];
    for (const node of newcomers) for (const id of ids) await node.settled(id);
    let most = 0;
    let before = first.owned.length;
    const count = await countRounds(nodes, clock, () => {
      most = Math.max(most, before - first.owned.length);
      before = first.owned.length;
      return newcomers.every(({ owned }) => owned.length === 2);
    });
    expect(most).toBe(1);
    expect(count).toBeLessThanOrEqual(6);
    expect(first.owned.filter((id) => 'xyz'.includes(id))).toEqual(['x', 'y', 'z']);
    // A balanced cluster stays as it is.
    const spread = nodes.all.map(sorted);
    for (let time = 0; time < 5; time += 1) {
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
    }
    expect(nodes.all.map(sorted)).toEqual(spread);
  });

  test('acquires servers beyond its share when no other node claims them', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const one = await nodes.join('one', [], { clock });
    const idle = await nodes.join('idle', [], { clock });
    await roundTrip(nodes);
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect(one.leases.nodes).toHaveLength(2);
    for (const id of ['a', 'b', 'c']) one.claim(id);
    await nodes.until(() => one.owned.length === 2);
    await countRounds(nodes, clock, () => one.owned.length === 3);
    for (let time = 0; time < 6; time += 1) {
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
    }
    expect([...one.claims.values()].map(({ losses }) => losses)).toEqual([0, 0, 0]);
    expect(idle.owned).toEqual([]);
  });

  test('keeps the fencing token when Redis was emptied', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const node = await nodes.join('one', ['a'], { clock });
    await nodes.until(() => node.owned.length === 1);
    const lease = holderIn(await redis.look.get(node.link.keys.key('a', 'lease')));
    await redis.look.flushall();
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect(holderIn(await redis.look.get(node.link.keys.key('a', 'lease')))).toBe(lease);
    expect([node.claims.get('a')?.tokens.length, node.claims.get('a')?.losses]).toEqual([1, 0]);
  });

  test.each([true, false])(
    'keeps servers on their owner when Redis was emptied and another node verifies first (transferable: %s)',
    async (isTransferable) => {
      await using nodes = await emptied();
      const [clock, otherClock] = [new ManualClock(), new ManualClock()];
      const owner = await nodes.join('owner', [], { clock });
      owner.claim('a', isTransferable);
      await nodes.until(() => owner.owned.length === 1);
      const other = await nodes.join('other', [], { clock: otherClock });
      other.claim('a', isTransferable);
      await other.settled('a');
      const token = owner.leases.tokenOf('a');
      await redis.look.flushall();
      otherClock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      otherClock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
      expect([owner.leases.tokenOf('a'), owner.claims.get('a')?.losses, other.owned]).toEqual([token, 0, []]);
      // Another node takes over if the owner does not come back.
      await owner.vanish();
      await redis.look.flushall();
      await countRounds(nodes, otherClock, () => other.owned.length === 1);
    },
  );

  test('loses a server that another node has acquired with a greater fencing token, even when Redis was emptied', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const stopped = await nodes.join('stopped', ['a'], { clock });
    await nodes.until(() => stopped.owned.length === 1);
    const token = stopped.leases.tokenOf('a') ?? NaN;
    await redis.look.flushall();
    // The node receives no messages, like a node whose network is down.
    await redis.look.client('KILL', 'TYPE', 'pubsub');
    const other = await nodes.join('other', ['a'], { clock: new ManualClock() });
    await nodes.until(() => other.owned.length === 1);
    expect(other.leases.tokenOf('a')).toBeGreaterThan(token);
    clock.advance(LEASE_MS / 3);
    await nodes.until(() => stopped.owned.length === 0);
    expect(stopped.claims.get('a')?.losses).toBe(1);
    expect(stopped.leases.tokenOf('a')).toBeNull();
    expect(nodes.ownersOf('a')).toEqual(['other']);
  });

  test('loses a server to a later owner that has vanished, although the lease is free again', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const late = await nodes.join('late', ['a'], { clock });
    await nodes.until(() => late.owned.length === 1);
    const token = late.leases.tokenOf('a') ?? NaN;
    const key = late.link.keys.key('a', 'lease');
    // The node does not run while its lease expires, another node takes over, and that node vanishes.
    await redis.look.del(key);
    await redis.look.client('KILL', 'TYPE', 'pubsub');
    const later = await nodes.join('later', ['a'], { clock: new ManualClock() });
    await nodes.until(() => later.owned.length === 1);
    await later.vanish();
    await redis.look.del(key);
    clock.advance(LEASE_MS / 3);
    await nodes.until(() => (late.claims.get('a')?.losses ?? 0) === 1);
    // It may own the server again, but not with its old fencing token.
    await countRounds(nodes, clock, () => late.owned.length === 1);
    expect(late.claims.get('a')?.tokens).toHaveLength(2);
    expect(late.leases.tokenOf('a')).toBeGreaterThan(token + 1);
    expect(holderIn(await redis.look.get(key))).toBe(`late ${late.leases.tokenOf('a')}`);
  });

  test('leaves expired leases to their owners for half a lease duration after an outage of Redis', async () => {
    await using own = await RedisServer.start();
    await using nodes = new Nodes(own.url);
    const [clock, otherClock] = [new ManualClock(), new ManualClock()];
    const owner = await nodes.join('owner', ['a'], { clock });
    await nodes.until(() => owner.owned.length === 1);
    const other = await nodes.join('other', ['a'], { clock: otherClock });
    await other.settled('a');
    own.pause();
    await waitUntil(() => nodes.all.every(({ link }) => !link.isUp), { state: () => nodes.state() });
    own.resume();
    await waitUntil(() => nodes.all.every(({ link }) => link.isUp), { state: () => nodes.state() });
    // The lease expired during the outage, and the node that does not own it looks first.
    await roundTrip(nodes);
    await own.look.del(owner.link.keys.key('a', 'lease'));
    otherClock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect(other.owned).toEqual([]);
    clock.advance(LEASE_MS / 3);
    await roundTrip(nodes);
    expect([owner.owned, owner.claims.get('a')?.losses]).toEqual([['a'], 0]);
    await owner.vanish();
    await own.look.del(owner.link.keys.key('a', 'lease'));
    await countRounds(nodes, otherClock, () => other.owned.length === 1);
  });

  test.each([
    ['takes over the server of a silent owner whose connection has ended, before its lease expires', false],
    ['leaves a server to a silent owner that is connected until its lease expires', true],
  ])('%s', async (_name, isConnected) => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const node = await nodes.join('one', [], { clock });
    const key = node.link.keys.key('a', 'lease');
    // The lease of a node that has not renewed it for more than half of its duration.
    const time = new RedisTime(new ManualClock(Date.now() - (2 * LEASE_MS) / 3));
    await redis.look.set(key, stampedValue({ seal: node.link.seal, time }, key, ' ghost 5'), 'PX', LEASE_MS);
    await redis.look.set(node.link.keys.key('a', 'fence'), 5);
    const ghost = redis.look.duplicate();
    if (isConnected) await ghost.subscribe(node.link.keys.nodeChannel('ghost'));
    node.claim('a');
    await node.settled('a');
    for (let round = 0; round < 6; round += 1) {
      clock.advance(LEASE_MS / 3);
      await roundTrip(nodes);
    }
    ghost.disconnect();
    expect(node.silences[0]).toEqual(['a', expect.stringContaining('does not respond')]);
    expect(node.owned).toEqual(isConnected ? [] : ['a']);
  });

  test('reports a silent owner before another node takes over, and a later renewal ends the silence', async () => {
    await using nodes = await emptied();
    const owner = await nodes.join('owner', ['a'], { leaseMs: 2_000 });
    await nodes.until(() => owner.owned.length === 1);
    const other = await nodes.join('other', ['a'], { leaseMs: 2_000 });
    await other.settled('a');
    const ownedWhenSilent: unknown[] = [];
    other.onSilence = () => ownedWhenSilent.push(other.owned);
    await owner.vanish();
    await nodes.until(() => other.owned.length === 1);
    // A slow machine may renew late before.
    expect(other.silences.slice(-2)).toEqual([
      ['a', 'The node that owns the server does not respond.'],
      ['a', null],
    ]);
    expect(ownedWhenSilent.at(-2)).toEqual([]);
  });

  test('acquires a server with a greater fencing token than it has seen, although Redis lost it and its clock went back', async () => {
    await using nodes = await emptied();
    const clock = new ManualClock();
    const owner = await nodes.join('owner', [], { clock: new ManualClock() });
    await redis.look.set(owner.link.keys.key('a', 'fence'), Date.now() + 3_600_000);
    owner.claim('a');
    await nodes.until(() => owner.owned.length === 1);
    const token = owner.leases.tokenOf('a') ?? NaN;
    const other = await nodes.join('other', ['a'], { clock });
    await other.settled('a');
    await owner.vanish();
    await redis.look.flushall();
    await countRounds(nodes, clock, () => other.owned.length === 1);
    expect(other.leases.tokenOf('a')).toBeGreaterThan(token);
  });

  test('keeps its servers while Redis is unavailable and when Redis comes back empty', async () => {
    await using own = await RedisServer.start();
    await using nodes = new Nodes(own.url);
    const node = await nodes.join('one', ['a'], { leaseMs: 200 });
    await nodes.until(() => node.owned.length === 1);
    const token = node.leases.tokenOf('a');
    await own.kill();
    await waitUntil(() => !node.link.isUp, { state: () => nodes.state() });
    expect(node.leases.tokenOf('a')).toBe(token);
    await own.restart();
    const key = node.link.keys.key('a', 'lease');
    let lease: string | null = null;
    await waitUntil(async () => holderIn((lease = await own.look.get(key))) === `one ${token}`, { state: () => lease });
    expect([node.owned, node.claims.get('a')?.losses]).toEqual([['a'], 0]);
  });

  test('acquires a server again immediately after releasing it', async () => {
    await using nodes = await emptied();
    const node = await nodes.join('one', ['a'], { clock: new ManualClock() });
    await nodes.until(() => node.owned.length === 1);
    const token = node.leases.tokenOf('a') ?? NaN;
    const gone = node.release('a');
    const again = node.claim('a');
    await gone;
    await nodes.until(() => again.isOwned);
    expect(again.tokens[0]).toBeGreaterThan(token);
  });

  test('does not block the disposal of a node that has never reached Redis', async () => {
    await using node = new TestNode('one', 'redis://127.0.0.1:1', new Emitter());
    node.claim('a');
    await settled();
    expect([node.link.isUp, node.owned]).toEqual([false, []]);
  });
});
