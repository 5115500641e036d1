import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { request } from '../support/app.js';
import { hasRedis, NO_REDIS } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';
import { Fleet } from './fleet.js';
import {
  CONNECTION_DROPPED,
  endure,
  type FleetFault,
  GARBAGE,
  LINE_CUT,
  LINE_SLOW,
  POLLER_KILLED,
  REDIS_KILLED,
} from './fleet-faults.js';
import type { FleetNode } from './fleet-node.js';
import { StalledClient, Traffic } from './stalled-client.js';

const here = hasRedis({ own: true });
/** That Redis hands to each node while next to nothing of it may wait. */
const ENOUGH_BYTES = 300_000;

describe.skipIf(!here)(`three nodes on one Redis${here ? '' : ` (${NO_REDIS})`}`, () => {
  test('poll each server from one node, and give 300 clients the servers’ picture', async () => {
    await using fleet = await Fleet.start({ hz: 2 });
    await fleet.join(300);
    await fleet.isSpread(10);
    await Promise.all(fleet.clients.map((client) => client.until(() => client.updates > 3)));
    fleet.freeze();
    await fleet.isWhole();
    expect(await fleet.differences()).toEqual([]);
  });

  test('show live what they poll while Redis is away, the rest as stale, and are right when it is back', async () => {
    await using fleet = await Fleet.start();
    await fleet.join(6);
    const foreign = (node: FleetNode): string[] =>
      fleet.servers.flatMap((server) => (fleet.pollerOf(server) === node ? [] : [server.id])).toSorted();
    const expected = new Map(fleet.clients.map((client) => [client, foreign(client.node)]));
    fleet.redis.pause();
    await Promise.all(
      [...expected].map(async ([client, stale]) => {
        await client.until(() => isDeepStrictEqual(client.stale, stale));
        const before = client.updates;
        await client.until(() => client.updates > before + 3);
        expect(client.stale).toEqual(stale);
      }),
    );
    expect((await fleet.polledBy(3)).map(({ length }) => length)).toEqual([1, 1, 1]);
    fleet.freeze();
    fleet.redis.resume();
    console.log(`Redis was stopped: right again after ${(await fleet.isWhole()).toFixed(0)} ms`);
    expect(await fleet.differences()).toEqual([]);
  });

  test.each<[string, FleetFault, number]>([
    [REDIS_KILLED.name, REDIS_KILLED, 500],
    [CONNECTION_DROPPED.name, CONNECTION_DROPPED, 0],
    [LINE_SLOW.name, LINE_SLOW, 1_600],
    [LINE_CUT.name, LINE_CUT, 0],
    [GARBAGE.name, GARBAGE, 100],
  ])('are all right again after %s', async (_name, fault, forMs) => {
    await using fleet = await Fleet.start();
    await fleet.join(6);
    await isRightAgainAfter(fleet, fault, forMs);
  });

  test('are two, and all right, after the one that polled a server was killed', async () => {
    await using fleet = await Fleet.start({ areProcesses: true });
    await fleet.join(6);
    await isRightAgainAfter(fleet, POLLER_KILLED, 500);
  });

  test('take each other’s clients with their cursors, and these miss nothing', async () => {
    await using fleet = await Fleet.start();
    const clients = await fleet.join(3);
    // Which is a snapshot where the next node does not know enough of the one before, so until nobody got only those.
    let moves = 0;
    const haveResumed = async (): Promise<boolean> => {
      if (clients.every(({ firsts }) => firsts.includes('DELTA'))) return true;
      moves += 1;
      for (const client of clients) client.leave();
      await fleet.polledBy(5);
      await Promise.all(clients.map((client, at) => client.join(fleet.nodes[(at + moves) % fleet.nodes.length])));
      return false;
    };
    await waitUntil(haveResumed, { state: () => ({ moves, firsts: clients.map(({ firsts }) => firsts) }) });
    fleet.freeze();
    await fleet.isWhole();
    expect(await fleet.differences()).toEqual([]);
  });

  test('poll as often as a client of any of them wants, from one node, and less when it has left', async () => {
    await using fleet = await Fleet.start();
    const [client] = await fleet.join(1, 'HIGH_FREQUENCY');
    await isWanted(fleet, (hz) => Math.round(hz) === 60);
    await fleet.isSpread(20);
    client?.leave();
    await isWanted(fleet, (hz) => Math.round(hz) < 60);
  });

  test('leave nothing waiting between Redis and their picture when a client does not read', async () => {
    await using fleet = await Fleet.start({ agents: 60, hz: 60 });
    await using stalled = await StalledClient.join(fleet.nodes[0]?.url ?? '');
    await stalled.isStalled();
    using traffic = await Traffic.open(fleet.redis.look);
    let most = 0;
    const isEnough = async (): Promise<boolean> => {
      most = Math.max(most, await traffic.waiting());
      return traffic.bytes >= ENOUGH_BYTES;
    };
    await waitUntil(isEnough, { state: () => ({ bytes: traffic.bytes, most }) });
    // Redis counts a whole block of its own, 20 KB, where anything waits.
    expect(most).toBeLessThan(ENOUGH_BYTES / 5);
  });
});

/** Lets the fault happen, and says how long it took until all was right. */
async function isRightAgainAfter(fleet: Fleet, fault: FleetFault, forMs: number): Promise<void> {
  await fleet.polledBy(3);
  const healedMs = await endure(fleet, fault, forMs);
  console.log(`${fault.name}: right again after ${healedMs.toFixed(0)} ms`);
  // One node each again, whoever took over meanwhile.
  await fleet.isSpread();
  fleet.freeze();
  await fleet.isWhole();
  expect(await fleet.differences()).toEqual([]);
}

/** Resolves when each node knows that each server is wanted at such a rate. */
async function isWanted(fleet: Fleet, isReached: (hz: number) => boolean): Promise<void> {
  for (const node of fleet.nodes) {
    let wantedHz: readonly (number | undefined)[] = [];
    const isKnown = async (): Promise<boolean> => {
      const { data } = await request(node, '{ servers { polling { wantedHz } } }');
      const servers = data?.['servers'] as readonly { readonly polling: { readonly wantedHz: number } | null }[]; // as selected
      wantedHz = servers.map(({ polling }) => polling?.wantedHz);
      return wantedHz.length === fleet.servers.length && wantedHz.every((hz) => isReached(hz ?? NaN));
    };
    await waitUntil(isKnown, { state: () => ({ node: node.name, wantedHz }) });
  }
}
