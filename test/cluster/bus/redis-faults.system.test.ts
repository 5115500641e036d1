import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EPOCH_TIME, serverSnapshotOf } from '../../support/arbitraries.js';
import { hasRedis, NO_REDIS, RedisServer } from '../../support/redis-server.js';
import { eventually, seen, show } from './contract.js';
import { type Fate, RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`RedisBus with random faults${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('for any lost, repeated, late and failed messages and any changes of the owner: all nodes end up with equal snapshots', async () => {
    await using redis = await RedisServer.start();
    await using a = await RedisNode.start(redis, 'a');
    await using b = await RedisNode.start(redis, 'b');
    // Few tombstones make this node write full snapshots often.
    await using c = await RedisNode.start(redis, 'c', { maxTombstones: 2 });
    const nodes = [a, b, c];
    const owners = new Map<string, RedisNode>();
    let token = 0;
    let second = 0;
    const move = async (id: string, to: RedisNode): Promise<void> => {
      owners.get(id)?.lose(id);
      owners.set(id, to);
      await to.hold(id, (token += 1));
      await to.bus.pull(id);
    };
    const listeners: { reached: number }[] = [];
    for (const { link } of nodes) {
      const listener = { reached: 0 };
      listeners.push(listener);
      await link.subscribe('t:marks', (mark) => (listener.reached = Number(mark)));
    }
    let mark = 0;
    // Redis delivers messages in order, so a node that has received the mark has received all earlier messages.
    const delivered = async (owner: RedisNode): Promise<void> => {
      mark += 1;
      const publishMark = async (): Promise<void> => {
        for (const node of nodes) node.revive();
        // A command may time out on a slow machine. It is repeated until all nodes have received the mark.
        await owner.publishUnharmed('t:marks', mark).catch(() => undefined);
      };
      await publishMark();
      await eventually(
        () => expect(listeners.map(({ reached }) => reached)).toEqual(nodes.map(() => mark)),
        publishMark,
      );
    };
    const compare = async (): Promise<void> => {
      for (const node of nodes) node.fate = () => 'sent';
      for (const [id, owner] of owners) {
        await owner.bus.flush(id);
        await delivered(owner);
        await eventually(
          () => nodes.forEach((node) => expect(seen(node, id)).toEqual(seen(owner, id))),
          () => nodes.forEach((node) => node.verify()),
        );
      }
    };
    const fate = fc.constantFrom<Fate>('sent', 'sent', 'sent', 'lost', 'doubled', 'late', 'failed');
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          snapshot: fc.constantFrom('x', 'y').chain(serverSnapshotOf),
          isAwaited: fc.boolean(),
          fate,
        }),
      },
      { weight: 1, arbitrary: fc.record({ move: fc.constantFrom('x', 'y'), to: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((removed) => ({ removed })) },
      { weight: 1, arbitrary: fc.nat(2).map((verifies) => ({ verifies })) },
      { weight: 3, arbitrary: fc.constant('compare' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        for (const id of ['x', 'y']) await move(id, at(nodes, 0));
        for (const one of steps) {
          if (one === 'compare') await compare();
          else if ('snapshot' in one) {
            second += 1;
            const seenAt = new Date(Date.parse(EPOCH_TIME) + 1_000 * second).toISOString();
            const owner = owners.get(one.snapshot.server.id);
            if (owner === undefined) continue;
            owner.fate = () => one.fate;
            await show(owner, one.snapshot, seenAt);
            if (!one.isAwaited) continue;
            await owner.bus.flush(one.snapshot.server.id);
            await delivered(owner);
          } else if ('removed' in one) {
            const owner = owners.get(one.removed);
            if (owner?.store.servers.get(one.removed) === undefined) continue;
            await owner.bus.publish(owner.store.removalDelta(one.removed));
          } else if ('move' in one) {
            await owners.get(one.move)?.bus.flush(one.move);
            await move(one.move, at(nodes, one.to));
          } else at(nodes, one.verifies).verify();
        }
        await compare();
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });
});

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
}
