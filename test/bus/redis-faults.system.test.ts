import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EPOCH_TIME, pictureOf } from '../support/arbitraries.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { eventually, seen, show } from './contract.js';
import { type Fate, RedisNode } from './redis-node.js';

const here = hasRedis({ own: true });

describe.skipIf(!here)(`a bus on Redis that fails at random${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('changes at any holder, with messages lost, doubled, late and not published, and servers that move: the pictures are equal', async () => {
    await using redis = await RedisServer.start();
    await using a = await RedisNode.start(redis, 'a');
    await using b = await RedisNode.start(redis, 'b');
    // It often has to write everything.
    await using c = await RedisNode.start(redis, 'c', { maxTombstones: 2 });
    const nodes = [a, b, c];
    const holders = new Map<string, RedisNode>();
    let term = 0;
    let second = 0;
    const move = async (id: string, to: RedisNode): Promise<void> => {
      holders.get(id)?.lose(id);
      holders.set(id, to);
      await to.hold(id, (term += 1));
      await to.bus.synced(id);
    };
    const ears: { reached: number }[] = [];
    for (const { link } of nodes) {
      const ear = { reached: 0 };
      ears.push(ear);
      await link.subscribe('t:marks', (mark) => (ear.reached = Number(mark)));
    }
    let mark = 0;
    // A node hears in the order in which another has spoken.
    const heard = async (holder: RedisNode): Promise<void> => {
      mark += 1;
      const speak = async (): Promise<void> => {
        for (const node of nodes) node.revive();
        // A command may time out on a slow machine: it is repeated until all have heard it.
        await holder.link.commands.publish('t:marks', String(mark)).catch(() => undefined);
      };
      await speak();
      await eventually(() => expect(ears.map(({ reached }) => reached)).toEqual(nodes.map(() => mark)), speak);
    };
    const compare = async (): Promise<void> => {
      for (const node of nodes) node.fate = () => 'sent';
      for (const [id, holder] of holders) {
        await holder.bus.written(id);
        await heard(holder);
        await eventually(
          () => nodes.forEach((node) => expect(seen(node, id)).toEqual(seen(holder, id))),
          () => nodes.forEach((node) => node.look()),
        );
      }
    };
    const fate = fc.constantFrom<Fate>('sent', 'sent', 'sent', 'lost', 'doubled', 'late', 'failed');
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({ picture: fc.constantFrom('x', 'y').chain(pictureOf), isAwaited: fc.boolean(), fate }),
      },
      { weight: 1, arbitrary: fc.record({ move: fc.constantFrom('x', 'y'), to: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((removed) => ({ removed })) },
      { weight: 1, arbitrary: fc.nat(2).map((looks) => ({ looks })) },
      { weight: 3, arbitrary: fc.constant('compare' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        for (const id of ['x', 'y']) await move(id, at(nodes, 0));
        for (const one of steps) {
          if (one === 'compare') await compare();
          else if ('picture' in one) {
            second += 1;
            const seenAt = new Date(Date.parse(EPOCH_TIME) + 1_000 * second).toISOString();
            const holder = holders.get(one.picture.server.id);
            if (holder === undefined) continue;
            holder.fate = () => one.fate;
            await show(holder, one.picture, seenAt);
            if (!one.isAwaited) continue;
            await holder.bus.written(one.picture.server.id);
            await heard(holder);
          } else if ('removed' in one) {
            const holder = holders.get(one.removed);
            if (holder?.store.servers.get(one.removed) === undefined) continue;
            await holder.bus.publish(holder.store.removal(one.removed));
          } else if ('move' in one) {
            await holders.get(one.move)?.bus.written(one.move);
            await move(one.move, at(nodes, one.to));
          } else at(nodes, one.looks).look();
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
