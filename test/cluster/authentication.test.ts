import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpServer, type ToolCaller, UNRESTRICTED } from '../../src/model/index.js';
import type { Logger } from '../../src/shared/index.js';
import { RedisTime } from '../../src/cluster/redis/redis-time.js';
import { Seal } from '../../src/cluster/redis/seal.js';
import { stampedValue } from '../../src/cluster/redis/stamped-value.js';
import { emptyDelta } from '../../src/state/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';
import { eventually, seen, show, versioned } from './bus/contract.js';
import { RedisNode } from './bus/redis-node.js';
import { BUS_KEY, LEASE_MS, Nodes, type TestNode } from './test-node.js';

const here = hasRedis({ own: true });
const NEVER = new AbortController().signal;
const CALLER: ToolCaller = { clientId: 'client', permissions: ['tools:call'], restriction: UNRESTRICTED };
const OTHER_KEY = 'another key, which only some of the nodes have';

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

let redis: RedisServer;
beforeAll(async () => {
  if (here) redis = await RedisServer.start();
});
afterAll(async () => {
  if (here) await redis[Symbol.asyncDispose]();
});

/** Starts the owner of `s` and a node that follows it, with these keys. */
async function createTwoNodes(ownerKeys: readonly string[], otherKeys = ownerKeys) {
  await redis.look.flushall();
  const nodes = new Nodes(redis.url);
  const clock = new ManualClock();
  const warnings: string[] = [];
  const owner = await nodes.join('owner', ['s'], { clock, busKeys: ownerKeys, logger: recordInto(warnings) });
  await nodes.until(() => owner.owned.length === 1);
  const other = await nodes.join('other', ['s'], { clock, busKeys: otherKeys, logger: recordInto(warnings) });
  for (const { store } of [owner, other]) store.commit({ ...emptyDelta('s'), server: SERVER });
  const calls: unknown[] = [];
  const claim = owner.claims.get('s');
  if (claim === undefined) throw new Error('claimed');
  claim.onTool = (tool, args) => {
    calls.push([tool, args]);
    return Promise.resolve({ isError: false, content: null, durationMs: 1 });
  };
  return { nodes, clock, owner, other, calls, warnings, [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose]() };
}

function recordInto(warnings: string[]): Logger {
  const ignore = (): void => undefined;
  return { debug: ignore, info: ignore, warn: (_fields, message) => warnings.push(message), error: ignore };
}

/** Records the messages that a node publishes on a channel, as a person with access to Redis can. */
async function record(channel: string): Promise<{ readonly texts: string[] } & AsyncDisposable> {
  const listener = redis.look.duplicate();
  const texts: string[] = [];
  listener.on('message', (_channel, text) => texts.push(text));
  await listener.subscribe(channel);
  return {
    texts,
    async [Symbol.asyncDispose]() {
      listener.disconnect();
    },
  };
}

/** Waits until the node has counted refusals with this reason. */
function refused({ link }: Pick<TestNode, 'link'>, reason: Parameters<typeof link.refusals.count>[0]): Promise<void> {
  return waitUntil(() => (link.refusals.counts.get(reason) ?? 0) > 0, { state: () => link.refusals.counts });
}

/** Waits until Redis has answered all nodes, and the commands that follow from the answers. */
async function roundTrips(nodes: Nodes): Promise<void> {
  for (let time = 0; time < 12; time += 1) {
    await Promise.all(nodes.all.map(({ link }) => link.commands.ping().catch(() => undefined)));
    await settled();
  }
}

describe.skipIf(!here)(`Tool calls between nodes${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('are refused when they are forged, moved from another channel or repeated', async () => {
    await using cluster = await createTwoNodes([BUS_KEY]);
    const { owner, other, calls } = cluster;
    await other.settled('s');
    const channel = owner.link.keys.nodeChannel('owner');
    await using recorded = await record(channel);
    const tool = ['tool', 7, 's', 'stop', {}, CALLER];
    await redis.look.publish(channel, `2 - other ${Date.now()} 9000 ${JSON.stringify(tool)}`);
    await refused(owner, 'unsigned');
    await redis.look.publish(channel, `2 ${'A'.repeat(43)} other ${Date.now()} 9000 ${JSON.stringify(tool)}`);
    await refused(owner, 'signature');
    await other.leases.remote.callTool('s', 'spawn', { type: 'coder' }, NEVER, CALLER);
    const text = recorded.texts.at(-1) ?? '';
    expect(text).toContain('"tool"');
    await redis.look.publish(channel, text);
    await refused(owner, 'replayed');
    // The same text is not accepted by another node either.
    const before = other.link.refusals.counts.get('signature') ?? 0;
    await redis.look.publish(owner.link.keys.nodeChannel('other'), text);
    await waitUntil(() => (other.link.refusals.counts.get('signature') ?? 0) > before, { state: () => text });
    expect(calls).toEqual([['spawn', { type: 'coder' }]]);
  });

  test('are refused on both nodes when there is no key, while everything else works', async () => {
    await using cluster = await createTwoNodes([]);
    const { owner, other, calls } = cluster;
    await other.settled('s');
    await expect(other.leases.remote.callTool('s', 'spawn', {}, NEVER, CALLER)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('swarmlens.busKeys'),
    });
    // A person with access to Redis sends what the node does not.
    await using answers = await record(owner.link.keys.nodeChannel('other'));
    await other.link.publish(owner.link.keys.nodeChannel('owner'), ['tool', 7, 's', 'stop', {}, CALLER]);
    await waitUntil(() => answers.texts.length > 0, { state: () => answers.texts });
    expect(answers.texts[0]).toMatch(/\["refusal",7,"FORBIDDEN",/);
    expect(calls).toEqual([]);
    expect(await other.leases.remote.poll('s', false)).toBe(true);
  });

  test.each<[string, ToolCaller, boolean]>([
    ['the permission', CALLER, true],
    ['no permission', { ...CALLER, permissions: ['agents:read', 'servers:admin'] }, false],
    ['access to another server only', { ...CALLER, restriction: { ...UNRESTRICTED, serverIds: ['x'] } }, false],
    ['access to one agent type only', { ...CALLER, restriction: { ...UNRESTRICTED, agentTypes: ['coder'] } }, false],
    ['no access to neural data', { ...CALLER, restriction: { ...UNRESTRICTED, neural: false } }, false],
  ])('are checked by the owner: a viewer with %s', async (_name, caller, isAllowed) => {
    await using cluster = await createTwoNodes([BUS_KEY]);
    const { other, calls } = cluster;
    await other.settled('s');
    const called = other.leases.remote.callTool('s', 'spawn', {}, NEVER, caller);
    if (isAllowed) await called;
    else await expect(called).rejects.toMatchObject({ code: 'FORBIDDEN', details: { serverId: 's' } });
    expect(calls).toHaveLength(isAllowed ? 1 : 0);
  });

  test('accept an answer only from the node that was asked', async () => {
    await using cluster = await createTwoNodes([BUS_KEY]);
    const { nodes, other, owner } = cluster;
    await other.settled('s');
    const third = await nodes.join('third', []);
    let answer: (isAnswered: boolean) => void = () => undefined;
    const claim = owner.claims.get('s');
    if (claim === undefined) throw new Error('claimed');
    const asked = new Promise<void>((resolve) => {
      claim.onPoll = () => {
        resolve();
        return new Promise((settle) => (answer = settle));
      };
    });
    const polled = other.leases.remote.poll('s', false);
    await asked;
    for (let number = 0; number < 10; number += 1)
      await third.link.publish(owner.link.keys.nodeChannel('other'), ['answer', number, false]);
    await third.link.commands.ping();
    answer(true);
    expect(await polled).toBe(true);
  });
});

describe.skipIf(!here)('Nodes with different keys', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['another key', [BUS_KEY], [OTHER_KEY]],
    ['no key', [BUS_KEY], []],
    ['a key that the owner lacks', [], [BUS_KEY]],
  ])(
    'ignore each other, with a log line and a count, and without taking over a server: %s',
    async (_name, one, two) => {
      await using cluster = await createTwoNodes(one, two);
      const { nodes, clock, owner, other, warnings } = cluster;
      const token = owner.leases.tokenOf('s');
      for (let round = 0; round < 6; round += 1) {
        clock.advance(LEASE_MS / 3);
        await roundTrips(nodes);
      }
      expect([owner.owned, other.owned, owner.leases.tokenOf('s')]).toEqual([['s'], [], token]);
      expect(other.leases.remote.serverIds).toEqual([]);
      expect([...other.link.refusals.counts.values()].every((count) => count > 1)).toBe(true);
      expect(warnings.filter((text) => text.startsWith('ignored'))).toHaveLength(1);
      expect(warnings.join()).toContain('swarmlens.busKeys');
      // The server moves when its owner leaves.
      await owner[Symbol.asyncDispose]();
      clock.advance(LEASE_MS / 3);
      await nodes.until(() => other.owned.length === 1);
    },
  );

  test('replace a key one node at a time', async () => {
    await using cluster = await createTwoNodes([BUS_KEY, OTHER_KEY]);
    const { nodes, clock, owner, other, calls } = cluster;
    const replaced = await nodes.join('third', ['s'], { clock, busKeys: [OTHER_KEY, BUS_KEY] });
    replaced.store.commit({ ...emptyDelta('s'), server: SERVER });
    for (const node of [other, replaced]) {
      await node.settled('s');
      await node.leases.remote.callTool('s', node.id, {}, NEVER, CALLER);
    }
    expect(calls).toEqual([
      ['other', {}],
      ['third', {}],
    ]);
    for (const { link } of [owner, other, replaced]) expect(link.refusals.counts.size).toBe(0);
  });
});

describe.skipIf(!here)('Leases', () => {
  test('are not believed when a stranger writes them, and are written again by their owner', async () => {
    await using cluster = await createTwoNodes([BUS_KEY]);
    const { nodes, clock, owner, other } = cluster;
    await other.settled('s');
    const key = owner.link.keys.key('s', 'lease');
    const token = owner.leases.tokenOf('s') ?? NaN;
    await redis.look.set(key, `2 ${Date.now()} - stranger ${token}`);
    await redis.look.set(owner.link.keys.key('s', 'health'), `2 ${Date.now()} - {"calls":1}`);
    clock.advance(LEASE_MS / 3);
    await roundTrips(nodes);
    expect([owner.owned, owner.leases.tokenOf('s')]).toEqual([['s'], token]);
    expect(await redis.look.get(key)).toMatch(new RegExp(` owner ${token}$`));
    expect(other.leases.remote.health('s')).toBeNull();
  });

  test('that were recorded do not keep other nodes from a server', async () => {
    await using cluster = await createTwoNodes([BUS_KEY]);
    const { nodes, clock, owner, other } = cluster;
    await other.settled('s');
    await owner.vanish();
    const key = owner.link.keys.key('s', 'lease');
    const anHourAgo = new RedisTime(new ManualClock(Date.now() - 3_600_000));
    await redis.look.set(key, stampedValue({ seal: new Seal([BUS_KEY]), time: anHourAgo }, key, ' ghost 5'));
    clock.advance(LEASE_MS / 3);
    // The first round confirms that the vanished node does not return.
    await waitUntil(
      async () => {
        if (other.owned.length === 1) return true;
        clock.advance(LEASE_MS / 3);
        await roundTrips(nodes);
        return false;
      },
      { state: () => nodes.state(), intervalMs: 0 },
    );
    expect(other.link.refusals.counts.get('expired')).toBeGreaterThan(0);
    expect(await redis.look.get(key)).toMatch(/ other \d+$/);
  });
});

describe.skipIf(!here)('Snapshots', () => {
  async function createBusNodes(): Promise<{ owner: RedisNode; other: RedisNode } & AsyncDisposable> {
    await redis.look.flushall();
    const owner = await RedisNode.start(redis, 'owner');
    const other = await RedisNode.start(redis, 'other');
    await owner.hold('x', 1);
    await show(owner, versioned('1'));
    await eventually(() => expect(seen(other, 'x')).toEqual(seen(owner, 'x')));
    return {
      owner,
      other,
      async [Symbol.asyncDispose]() {
        await other[Symbol.asyncDispose]();
        await owner[Symbol.asyncDispose]();
      },
    };
  }

  test.each<[string, (key: string, fields: Record<string, string>) => Promise<unknown>]>([
    ['a changed value', (key, { server = '' }) => redis.look.hset(key, 'server', server.replace('"1"', '"forged"'))],
    ['an added agent', (key) => redis.look.hset(key, 'a:x:forged', '{}')],
    ['a removed field', (key) => redis.look.hdel(key, 'seenAt')],
    ['a later position', (key) => redis.look.hset(key, 'at', '[1,9000]')],
    ['a later time', (key, { atMs }) => redis.look.hset(key, 'atMs', Number(atMs) + 3_600_000)],
    ['no signature', (key) => redis.look.hdel(key, 'signature')],
  ])('are refused with %s, and replaced by their owner', async (_name, forge) => {
    await using nodes = await createBusNodes();
    const { owner, other } = nodes;
    const key = owner.link.keys.key('x', 'snapshot');
    await forge(key, await redis.look.hgetall(key));
    await using late = await RedisNode.start(redis, 'late');
    await eventually(
      () => expect(late.link.refusals.counts.size).toBe(1),
      () => late.verify(),
    );
    expect(seen(late, 'x')).toBeNull();
    await show(owner, versioned('2'));
    await redis.look.hset(key, 'at', '[0,0]');
    owner.verify();
    await eventually(
      () => {
        for (const node of [late, other]) expect(seen(node, 'x')).toEqual(seen(owner, 'x'));
      },
      () => [owner, other, late].forEach((node) => node.verify()),
    );
  });

  test('that were recorded do not bring back an earlier state', async () => {
    await using nodes = await createBusNodes();
    const { owner, other } = nodes;
    const key = owner.link.keys.key('x', 'snapshot');
    const recorded = await redis.look.hgetall(key);
    await show(owner, versioned('2'));
    await eventually(() => expect(seen(other, 'x')).toEqual(seen(owner, 'x')));
    await owner.bus.flush('x');
    await redis.look.multi().del(key).hset(key, recorded).exec();
    const versions = new Set<unknown>();
    other.bus.subscribe(({ server }) => versions.add(server?.version));
    await eventually(
      () => expect(other.link.refusals.counts.get('replayed')).toBeGreaterThan(0),
      () => other.verify(),
    );
    owner.verify();
    await eventually(
      () => expect(seen(other, 'x')).toEqual(seen(owner, 'x')),
      () => other.verify(),
    );
    expect([...versions]).not.toContain('1');
  });
});
