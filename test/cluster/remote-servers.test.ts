import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createView, Demand, emptyDelta } from '../../src/state/index.js';
import {
  EMPTY_LATENCY,
  type McpServer,
  type ServerHealth,
  type ToolCaller,
  UNRESTRICTED,
} from '../../src/model/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';
import { LEASE_MS, Nodes, type TestNode } from './test-node.js';

const here = hasRedis({ own: true });
const NEVER = new AbortController().signal;
const CALLER: ToolCaller = { clientId: 'client', permissions: ['tools:call'], restriction: UNRESTRICTED };

const SERVER: McpServer = {
  id: 's',
  type: 'DAA',
  agentServerTypes: ['DAA'],
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
  latency: { ...EMPTY_LATENCY, p50Ms: 1.5 },
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

/** Creates a node that owns `s` and a node that follows it. Both use a manual clock. */
async function createTwoNodes() {
  await redis.look.flushall();
  const nodes = new Nodes(redis.url);
  const clock = new ManualClock();
  const owner = await nodes.join('owner', ['s'], { clock, leaseMs: LEASE_MS });
  await nodes.until(() => owner.owned.length === 1);
  const other = await nodes.join('other', ['s'], { clock, leaseMs: LEASE_MS });
  await other.settled('s');
  for (const { store } of [owner, other]) store.commit({ ...emptyDelta('s'), server: SERVER });
  const claim = owner.claims.get('s');
  if (claim === undefined) throw new Error('claimed');
  return {
    nodes,
    clock,
    owner,
    other,
    claim,
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when `isReached` returns true, checked each time that Redis has answered all nodes. */
async function until(nodes: Nodes, isReached: () => boolean, move: () => void = () => undefined): Promise<void> {
  const isReachedNow = async (): Promise<boolean> => {
    if (isReached()) return true;
    move();
    await Promise.all(nodes.all.map(({ link }) => link.commands.ping().catch(() => undefined)));
    await settled();
    return false;
  };
  await waitUntil(isReachedNow, { state: () => nodes.state(), intervalMs: 0 });
}

function hz({ demand }: TestNode): number {
  return demand.requiredHz(SERVER);
}

describe.skipIf(!here)(`LeaseManager demand${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('forwards the highest demand of each node to the owner, and withdraws it when readers leave', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, owner, other } = cluster;
    const advance = (): void => clock.advance(10);
    const slow = other.demand.add(createView(), 10);
    await until(nodes, () => hz(owner) === 10, advance);
    const fast = other.demand.add(createView({ serverIds: ['s'] }), 60);
    await until(nodes, () => hz(owner) === 60, advance);
    fast[Symbol.dispose]();
    await until(nodes, () => hz(owner) === 10, advance);
    slow[Symbol.dispose]();
    await until(nodes, () => hz(owner) === 0, advance);
    expect([owner.demand.size, owner.leases.pending]).toEqual([0, 0]);
  });

  test('renews its demand, which expires when the node vanishes', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, owner, other } = cluster;
    using _demand = other.demand.add(createView(), 60);
    await until(
      nodes,
      () => hz(owner) === 60,
      () => clock.advance(10),
    );
    // A node renews its demand three times per lease duration.
    let least = 60;
    using _watch = owner.demand.onChange(() => (least = Math.min(least, hz(owner))));
    for (let round = 0; round < 12; round += 1) {
      clock.advance(LEASE_MS / 3);
      for (let time = 0; time < 8; time += 1) {
        await Promise.all(nodes.all.map(({ link }) => link.commands.ping()));
        await settled();
      }
    }
    expect(least).toBe(60);
    await other.vanish();
    expect(hz(owner)).toBe(60);
    clock.advance(LEASE_MS);
    expect([hz(owner), owner.demand.size]).toEqual([0, 0]);
  });

  test('moves its demand to the new owner', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, owner, other } = cluster;
    const third = await nodes.join('third', ['s'], { clock, leaseMs: LEASE_MS });
    third.store.commit({ ...emptyDelta('s'), server: SERVER });
    await third.settled('s');
    using _demand = other.demand.add(createView(), 60);
    const advance = (): void => clock.advance(10);
    await until(nodes, () => hz(owner) === 60, advance);
    await owner.release('s');
    await nodes.until(() => nodes.ownersOf('s').length === 1);
    expect(hz(owner)).toBe(0);
    const next = third.owned.length === 1 ? third : other;
    await until(nodes, () => hz(next) === 60, advance);
  });
});

describe.skipIf(!here)('RemoteServers.health', () => {
  test('returns the health that the owner published at its last renewal', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, other, claim } = cluster;
    expect(other.leases.remote.health('s')).toBeNull();
    claim.measured = HEALTH;
    await until(
      nodes,
      () => other.leases.remote.health('s') !== null,
      () => clock.advance(LEASE_MS / 3),
    );
    expect(other.leases.remote.health('s')).toEqual(HEALTH);
    claim.measured = null;
    await redis.look.set(other.link.keys.key('s', 'health'), '{"calls":"many"}');
    await until(
      nodes,
      () => other.leases.remote.health('s') === null,
      () => clock.advance(LEASE_MS / 30),
    );
  });

  test('returns the health of a server that only its owner is configured with, until it is removed', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, owner, other } = cluster;
    const tap = owner.claim('tap', false);
    tap.measured = HEALTH;
    await nodes.until(() => tap.isOwned);
    other.store.commit({ ...emptyDelta('tap'), server: { ...SERVER, id: 'tap' } });
    await until(
      nodes,
      () => other.leases.remote.health('tap') !== null,
      () => clock.advance(LEASE_MS / 3),
    );
    expect([...other.leases.remote.serverIds].sort()).toEqual(['s', 'tap']);
    await owner.release('tap');
    await until(nodes, () => !other.leases.remote.serverIds.includes('tap'));
  });
});

describe.skipIf(!here)('RemoteServers', () => {
  test('runs calls on the owner and returns its result', async () => {
    await using cluster = await createTwoNodes();
    const { other, claim } = cluster;
    const { remote } = other.leases;
    expect(await remote.callTool('s', 'spawn', { type: 'coder' }, NEVER, CALLER)).toEqual({
      isError: false,
      content: { tool: 'spawn', args: { type: 'coder' } },
      durationMs: 1,
    });
    const polls: boolean[] = [];
    claim.onPoll = (reconnects) => Promise.resolve(polls.push(reconnects) < 2);
    expect([await remote.poll('s', true), await remote.poll('s', false)]).toEqual([true, false]);
    expect(polls).toEqual([true, false]);
    expect(other.leases.pending).toBe(0);
  });

  test.each(['FORBIDDEN', 'SERVER_UNAVAILABLE'] as const)(
    'rejects a call with the error of the owner: %s',
    async (code) => {
      await using cluster = await createTwoNodes();
      const { other, owner, claim } = cluster;
      claim.onTool = () => Promise.reject(new SwarmlensError(code, 'not here', { serverId: 's' }));
      await expect(other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER)).rejects.toMatchObject({
        name: 'SwarmlensError',
        code,
        message: 'not here',
        details: { serverId: 's' },
      });
      expect([other.leases.pending, owner.leases.pending]).toEqual([0, 0]);
    },
  );

  test('rejects a call without internal details when the owner throws an unexpected error', async () => {
    await using cluster = await createTwoNodes();
    const { other, claim } = cluster;
    claim.onTool = () => Promise.reject(new TypeError('secret of the other node'));
    const failed = other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER);
    await expect(failed).rejects.toThrow('the call failed on the node that owns the server');
    claim.onPoll = () => Promise.reject(new SwarmlensError('SERVER_UNAVAILABLE', 'gone'));
    expect(await other.leases.remote.poll('s', false)).toBe(false);
  });

  test('aborts a call on the owner when the caller aborts', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, owner, other, claim } = cluster;
    const given = new AbortController();
    const begun = new Promise<AbortSignal>((resolve) => {
      claim.onTool = (_tool, _args, signal) => {
        resolve(signal);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        });
      };
    });
    const called = other.leases.remote.callTool('s', 'x', {}, given.signal, CALLER);
    const signal = await begun;
    given.abort(new Error('no time'));
    await expect(called).rejects.toThrow('no time');
    await until(nodes, () => signal.aborted && owner.leases.pending === 0);
    expect(other.leases.pending).toBe(0);
    await expect(other.leases.remote.callTool('s', 'x', {}, given.signal, CALLER)).rejects.toThrow('no time');
  });

  test('rejects a call when the owner has vanished', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, owner, other, claim } = cluster;
    const begun = new Promise<void>((resolve) => {
      claim.onTool = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const called = other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER);
    const failed = expect(called).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: 'The call may have been executed: the owner disappeared. Check the server before you retry.',
    });
    await begun;
    await until(
      nodes,
      () => other.leases.nodes.includes('owner'),
      () => clock.advance(LEASE_MS / 3),
    );
    await owner.vanish();
    await redis.look.zrem(other.link.keys.shared('nodes'), 'owner');
    await until(
      nodes,
      () => other.leases.pending === 0,
      () => clock.advance(LEASE_MS / 3),
    );
    await failed;
  });

  test('rejects a call after one minute without an answer', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, clock, other, claim } = cluster;
    claim.onTool = () => new Promise(() => undefined);
    const called = other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER);
    const failed = expect(called).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    await until(
      nodes,
      () => other.leases.pending === 0,
      () => clock.advance(1_000),
    );
    await failed;
  });

  test('rejects calls immediately when Redis is unavailable or no node owns the server', async () => {
    await using own = await RedisServer.start();
    await using nodes = new Nodes(own.url);
    const owner = await nodes.join('owner', ['s']);
    owner.store.commit({ ...emptyDelta('s'), server: SERVER });
    await nodes.until(() => owner.owned.length === 1);
    const other = await nodes.join('other', ['s']);
    await other.settled('s');
    await expect(other.leases.remote.callTool('unknown', 'x', {}, NEVER, CALLER)).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: /^No node owns server/,
    });
    expect(await other.leases.remote.poll('unknown', false)).toBe(false);
    const begun = new Promise<void>((resolve) => {
      const claim = owner.claims.get('s');
      if (claim === undefined) throw new Error('claimed');
      claim.onTool = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const called = other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER);
    const failed = expect(called).rejects.toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    await begun;
    await own.kill();
    await failed;
    await expect(other.leases.remote.callTool('s', 'x', {}, NEVER, CALLER)).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
    });
    expect(other.leases.pending).toBe(0);
  });

  test('rejects calls above the limit of pending calls', async () => {
    await using cluster = await createTwoNodes();
    const { nodes, other, claim } = cluster;
    const given = Array.from({ length: 192 }, () => new AbortController());
    claim.onTool = (_tool, _args, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const { remote } = other.leases;
    const calls = given.map(({ signal }, index) =>
      remote.callTool('s', 'x', {}, signal, { ...CALLER, clientId: `client ${index % 6}` }),
    );
    const ended = Promise.allSettled(calls);
    await expect(remote.callTool('s', 'x', {}, NEVER, CALLER)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    claim.onPoll = () => Promise.resolve(true);
    expect(await remote.poll('s', false)).toBe(true);
    for (const one of given) one.abort(new Error('no time'));
    await ended;
    await until(nodes, () => nodes.all.every(({ leases }) => leases.pending === 0));
  });

  test('ignores garbage on the channels of the cluster', async () => {
    await using cluster = await createTwoNodes();
    const { other, owner } = cluster;
    const { keys } = owner.link;
    const channels = [keys.nodeChannel('owner'), keys.shared('leases')];
    for (const channel of channels) await redis.look.publish(channel, '{');
    for (const garbage of [[], ['want', 's', 60], ['want', 's', -1], ['tool', 'x'], null, ['answer', 99, true]]) {
      for (const channel of channels) await other.link.publish(channel, garbage);
    }
    expect(await other.leases.remote.poll('s', false)).toBe(true);
    expect(new Demand().size).toBe(owner.demand.size);
  });
});
