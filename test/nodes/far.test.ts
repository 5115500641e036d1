import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Demand } from '../../src/collector/index.js';
import type { McpServer, ServerHealth } from '../../src/domain/index.js';
import { NO_LATENCY } from '../../src/domain/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import { createView, emptyChange } from '../../src/state/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';
import { LEASE_MS, Nodes, type TestNode } from './test-node.js';

const here = hasRedis({ own: true });
const NEVER = new AbortController().signal;

const SERVER: McpServer = {
  id: 's',
  type: 'DAA',
  families: ['DAA'],
  name: 's',
  version: null,
  transport: 'HTTP',
  status: 'ONLINE',
  tools: [],
  stale: false,
  staleSince: null,
  simulated: true,
  connectedAt: null,
  lastError: null,
};

const HEALTH: ServerHealth = {
  circuitBreaker: { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null },
  latency: { ...NO_LATENCY, p50Ms: 1.5 },
  inFlight: 0,
  calls: 7,
  failures: 1,
  rejectedEntries: 0,
  polling: { wantedHz: 1, effectiveHz: null, timeShare: null, maxTimeShare: 0.5 },
  replicas: [],
  tools: [],
};

let redis: RedisServer;
beforeAll(async () => {
  if (here) redis = await RedisServer.start();
});
afterAll(async () => {
  if (here) await redis[Symbol.asyncDispose]();
});

/** A node that watches `s`, and one that shows it; the clocks of both stand still. */
async function twoNodes() {
  await redis.look.flushall();
  const nodes = new Nodes(redis.url);
  const clock = new ManualClock();
  const holder = await nodes.join('holder', ['s'], { clock, leaseMs: LEASE_MS });
  await nodes.until(() => holder.watched.length === 1);
  const other = await nodes.join('other', ['s'], { clock, leaseMs: LEASE_MS });
  await other.settled('s');
  for (const { store } of [holder, other]) store.commit({ ...emptyChange('s'), server: SERVER });
  const claim = holder.claims.get('s');
  if (claim === undefined) throw new Error('claimed');
  return {
    nodes,
    clock,
    holder,
    other,
    claim,
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when `isSo`, looked at again each time that a node has had its turn and Redis has answered it. */
async function until(nodes: Nodes, isSo: () => boolean, move: () => void = () => undefined): Promise<void> {
  const isReached = async (): Promise<boolean> => {
    if (isSo()) return true;
    move();
    await Promise.all(nodes.all.map(({ link }) => link.commands.ping().catch(() => undefined)));
    await settled();
    return false;
  };
  await waitUntil(isReached, { state: () => nodes.state(), intervalMs: 0 });
}

function hz({ demand }: TestNode): number {
  return demand.hzFor(SERVER);
}

describe.skipIf(!here)(
  `what clients of a node want of a server that another one watches${here ? '' : ` (${NO_REDIS})`}`,
  () => {
    test('is wanted there, the fastest of it, and no longer when they leave', async () => {
      await using made = await twoNodes();
      const { nodes, clock, holder, other } = made;
      const gather = (): void => clock.advance(10);
      const slow = other.demand.add(createView(), 10);
      await until(nodes, () => hz(holder) === 10, gather);
      const fast = other.demand.add(createView({ serverIds: ['s'] }), 60);
      await until(nodes, () => hz(holder) === 60, gather);
      fast[Symbol.dispose]();
      await until(nodes, () => hz(holder) === 10, gather);
      slow[Symbol.dispose]();
      await until(nodes, () => hz(holder) === 0, gather);
      expect([holder.demand.size, holder.leases.pending]).toEqual([0, 0]);
    });

    test('is told again in time, and lapses when its node has vanished', async () => {
      await using made = await twoNodes();
      const { nodes, clock, holder, other } = made;
      using _wish = other.demand.add(createView(), 60);
      await until(
        nodes,
        () => hz(holder) === 60,
        () => clock.advance(10),
      );
      // Renewed three times in each lease time.
      let least = 60;
      using _watch = holder.demand.onChange(() => (least = Math.min(least, hz(holder))));
      for (let round = 0; round < 12; round += 1) {
        clock.advance(LEASE_MS / 3);
        for (let time = 0; time < 8; time += 1) {
          await Promise.all(nodes.all.map(({ link }) => link.commands.ping()));
          await settled();
        }
      }
      expect(least).toBe(60);
      await other.vanish();
      expect(hz(holder)).toBe(60);
      clock.advance(LEASE_MS);
      expect([hz(holder), holder.demand.size]).toEqual([0, 0]);
    });

    test('is told to whoever takes the server over, and held by the one before no more', async () => {
      await using made = await twoNodes();
      const { nodes, clock, holder, other } = made;
      const third = await nodes.join('third', ['s'], { clock, leaseMs: LEASE_MS });
      third.store.commit({ ...emptyChange('s'), server: SERVER });
      await third.settled('s');
      using _wish = other.demand.add(createView(), 60);
      const gather = (): void => clock.advance(10);
      await until(nodes, () => hz(holder) === 60, gather);
      await holder.giveUp('s');
      await nodes.until(() => nodes.watching('s').length === 1);
      expect(hz(holder)).toBe(0);
      const next = third.watched.length === 1 ? third : other;
      await until(nodes, () => hz(next) === 60, gather);
    });
  },
);

describe.skipIf(!here)('the health of a server that another node watches', () => {
  test('is what that node has measured at its last renewal', async () => {
    await using made = await twoNodes();
    const { nodes, clock, other, claim } = made;
    expect(other.leases.others.health('s')).toBeNull();
    claim.measured = HEALTH;
    await until(
      nodes,
      () => other.leases.others.health('s') !== null,
      () => clock.advance(LEASE_MS / 3),
    );
    expect(other.leases.others.health('s')).toEqual(HEALTH);
    claim.measured = null;
    await redis.look.set(other.link.names.key('s', 'health'), '{"calls":"many"}');
    await until(
      nodes,
      () => other.leases.others.health('s') === null,
      () => clock.advance(LEASE_MS / 30),
    );
  });

  test('is known of one that this node would not watch, and forgotten with it', async () => {
    await using made = await twoNodes();
    const { nodes, clock, holder, other } = made;
    const tap = holder.claim('tap', false);
    tap.measured = HEALTH;
    await nodes.until(() => tap.isWatched);
    other.store.commit({ ...emptyChange('tap'), server: { ...SERVER, id: 'tap' } });
    await until(
      nodes,
      () => other.leases.others.health('tap') !== null,
      () => clock.advance(LEASE_MS / 3),
    );
    expect([...other.leases.others.serverIds].sort()).toEqual(['s', 'tap']);
    await holder.giveUp('tap');
    await until(nodes, () => !other.leases.others.serverIds.includes('tap'));
  });
});

describe.skipIf(!here)('a call for a server that another node watches', () => {
  test('is made there, and answered from there', async () => {
    await using made = await twoNodes();
    const { other, claim } = made;
    const { others } = other.leases;
    expect(await others.callTool('s', 'spawn', { type: 'coder' }, NEVER)).toEqual({
      isError: false,
      content: { tool: 'spawn', args: { type: 'coder' } },
      durationMs: 1,
    });
    const asked: boolean[] = [];
    claim.onPoll = (reconnects) => Promise.resolve(asked.push(reconnects) < 2);
    expect([await others.poll('s', true), await others.poll('s', false)]).toEqual([true, false]);
    expect(asked).toEqual([true, false]);
    expect(other.leases.pending).toBe(0);
  });

  test.each(['FORBIDDEN', 'SERVER_UNAVAILABLE'] as const)('fails as it does there: %s', async (code) => {
    await using made = await twoNodes();
    const { other, holder, claim } = made;
    claim.onTool = () => Promise.reject(new SwarmlensError(code, 'not here', { serverId: 's' }));
    await expect(other.leases.others.callTool('s', 'x', {}, NEVER)).rejects.toMatchObject({
      name: 'SwarmlensError',
      code,
      message: 'not here',
      details: { serverId: 's' },
    });
    expect([other.leases.pending, holder.leases.pending]).toEqual([0, 0]);
  });

  test('that breaks there says nothing of what broke', async () => {
    await using made = await twoNodes();
    const { other, claim } = made;
    claim.onTool = () => Promise.reject(new TypeError('secret of the other node'));
    const failed = other.leases.others.callTool('s', 'x', {}, NEVER);
    await expect(failed).rejects.toThrow('the call failed on the node that watches the server');
    claim.onPoll = () => Promise.reject(new SwarmlensError('SERVER_UNAVAILABLE', 'gone'));
    expect(await other.leases.others.poll('s', false)).toBe(false);
  });

  test('that is given up is given up there as well', async () => {
    await using made = await twoNodes();
    const { nodes, holder, other, claim } = made;
    const given = new AbortController();
    const begun = new Promise<AbortSignal>((resolve) => {
      claim.onTool = (_tool, _args, signal) => {
        resolve(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('given up')), { once: true });
        });
      };
    });
    const called = other.leases.others.callTool('s', 'x', {}, given.signal);
    const signal = await begun;
    given.abort(new Error('no time'));
    await expect(called).rejects.toThrow('no time');
    await until(nodes, () => signal.aborted && holder.leases.pending === 0);
    expect(other.leases.pending).toBe(0);
    await expect(other.leases.others.callTool('s', 'x', {}, given.signal)).rejects.toThrow('no time');
  });

  test('fails when its node has vanished, once that is known', async () => {
    await using made = await twoNodes();
    const { nodes, clock, holder, other, claim } = made;
    const begun = new Promise<void>((resolve) => {
      claim.onTool = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const called = other.leases.others.callTool('s', 'x', {}, NEVER);
    const failed = expect(called).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: 'Not known whether it was done: the node that was asked is gone.',
    });
    await begun;
    await until(
      nodes,
      () => other.leases.nodes.includes('holder'),
      () => clock.advance(LEASE_MS / 3),
    );
    await holder.vanish();
    await redis.look.zrem(other.link.names.shared('nodes'), 'holder');
    await until(
      nodes,
      () => other.leases.pending === 0,
      () => clock.advance(LEASE_MS / 3),
    );
    await failed;
  });

  test('that is never answered fails after a minute', async () => {
    await using made = await twoNodes();
    const { nodes, clock, other, claim } = made;
    claim.onTool = () => new Promise(() => undefined);
    const called = other.leases.others.callTool('s', 'x', {}, NEVER);
    const failed = expect(called).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    await until(
      nodes,
      () => other.leases.pending === 0,
      () => clock.advance(1_000),
    );
    await failed;
  });

  test('fails at once while Redis is away, and where nobody watches the server', async () => {
    await using own = await RedisServer.start();
    await using nodes = new Nodes(own.url);
    const holder = await nodes.join('holder', ['s']);
    await nodes.until(() => holder.watched.length === 1);
    const other = await nodes.join('other', ['s']);
    await other.settled('s');
    await expect(other.leases.others.callTool('nobody', 'x', {}, NEVER)).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: /watched by no node just now/,
    });
    expect(await other.leases.others.poll('nobody', false)).toBe(false);
    const begun = new Promise<void>((resolve) => {
      const claim = holder.claims.get('s');
      if (claim === undefined) throw new Error('claimed');
      claim.onTool = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const called = other.leases.others.callTool('s', 'x', {}, NEVER);
    const failed = expect(called).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    await begun;
    await own.kill();
    await failed;
    await expect(other.leases.others.callTool('s', 'x', {}, NEVER)).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
    });
    expect(other.leases.pending).toBe(0);
  });

  test('does not pass a bound: what comes then is refused', async () => {
    await using made = await twoNodes();
    const { nodes, other, claim } = made;
    const given = Array.from({ length: 256 }, () => new AbortController());
    claim.onTool = (_tool, _args, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
    const calls = given.map(({ signal }) => other.leases.others.callTool('s', 'x', {}, signal));
    const ended = Promise.allSettled(calls);
    await expect(other.leases.others.callTool('s', 'x', {}, NEVER)).rejects.toThrow('too many calls');
    for (const one of given) one.abort(new Error('no time'));
    await ended;
    await until(nodes, () => nodes.all.every(({ leases }) => leases.pending === 0));
  });

  test('and garbage on its channel, harm nobody', async () => {
    await using made = await twoNodes();
    const { other, holder } = made;
    const { names } = holder.link;
    for (const garbage of ['{', '[]', '[2,"want","x","s",60]', '[1,"want","x","s",-1]', '[1,"tool","x"]', 'null']) {
      await redis.look.publish(names.node('holder'), garbage);
      await redis.look.publish(names.shared('leases'), garbage);
    }
    await redis.look.publish(names.node('holder'), '[1,"answer",99,true]');
    expect(await other.leases.others.poll('s', false)).toBe(true);
    expect(new Demand().size).toBe(holder.demand.size);
  });
});
