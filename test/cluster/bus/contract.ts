import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bus } from '../../../src/cluster/index.js';
import type { Notice } from '../../../src/model/index.js';
import { emptyDelta, serverSnapshot, type ServerSnapshot, Store } from '../../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, serverOf } from '../../support/arbitraries.js';
import { waitUntil } from '../../support/wait.js';
import { messageWith } from '../../state/fixed-state.js';

/** Bus and store of one node. */
export interface BusNode {
  readonly bus: Bus;
  /** Store to which the first subscriber of the bus commits. */
  readonly store: Store;
}

/** Two nodes, the first of which owns the servers x and y. */
export interface BusStage extends AsyncDisposable {
  readonly owner: BusNode;
  readonly other: BusNode;
}

export function newStore(maxTombstones = 100): Store {
  return new Store({ epoch: 'e', maxTombstones, maxEvents: 1_000 });
}

export function notice(message: string, serverId: string | null = 'x'): Notice {
  return { type: 'notice', code: 'X', severity: 'INFO', message, serverId, timestamp: EPOCH_TIME };
}

/** Creates a snapshot of a server without agents. Its version distinguishes it from other snapshots. */
export function versioned(version: string): ServerSnapshot {
  return { server: { ...serverOf('x'), version }, agents: [], swarms: [], edges: [], tasks: [] };
}

export function show({ bus, store }: BusNode, snapshot: ServerSnapshot, seenAt = EPOCH_TIME): Promise<void> {
  return bus.publish(store.diff(snapshot, seenAt));
}

/** Returns everything that readers see of one server. */
export function seen({ store }: BusNode, serverId: string): unknown {
  const snapshot = serverSnapshot(store, serverId);
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  return (
    snapshot && {
      server: snapshot.server,
      seenAt: store.serverLastSeenAt(serverId),
      agents: snapshot.agents.map((agent) => ({ ...agent, lastSeenAt: store.lastSeenAt(agent) })).sort(byId),
      swarms: [...snapshot.swarms].sort(byId),
      edges: [...snapshot.edges].sort(byId),
      tasks: [...snapshot.tasks].sort(byId),
    }
  );
}

export function events({ store }: BusNode): readonly string[] {
  return store.events.since(0).events.map((event) => (event.type === 'notice' ? event.message : event.type));
}

/**
 * Resolves once `check` does not throw.
 * @param act function to call after each check that threw
 * @throws the last error of the check if it never passes
 */
export async function eventually(
  check: () => void | Promise<void>,
  act: () => void | Promise<void> = () => undefined,
): Promise<void> {
  let failure: unknown = null;
  const isPassed = async (): Promise<boolean> => {
    try {
      await check();
      return true;
    } catch (error) {
      failure = error;
    }
    await act();
    return false;
  };
  await waitUntil(isPassed, { state: () => failure, intervalMs: 1 });
}

/** Registers the tests that every bus passes. */
export function busContract(start: () => Promise<BusStage>): void {
  describe('Bus contract', () => {
    test('calls the subscribers of its own node in order before publish returns', async () => {
      await using stage = await start();
      const { owner } = stage;
      const received: string[] = [];
      owner.bus.subscribe(({ server }) => received.push(`first ${server?.version}`));
      owner.bus.subscribe(({ server }) => received.push(`second ${server?.version}`));
      const published = show(owner, versioned('1'));
      expect(received).toEqual(['first 1', 'second 1']);
      expect(owner.store.servers.get('x')?.version).toBe('1');
      await published;
    });

    test('for any changes and removals: another node ends up with the same snapshot', async () => {
      await using stage = await start();
      const { owner, other } = stage;
      const step = fc.oneof(
        { weight: 3, arbitrary: serverSnapshotOf('x').map((snapshot) => ({ snapshot })) },
        { weight: 2, arbitrary: serverSnapshotOf('y').map((snapshot) => ({ snapshot })) },
        { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((removed) => ({ removed })) },
      );
      let second = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          for (const one of steps) {
            second += 1;
            const seenAt = new Date(Date.parse(EPOCH_TIME) + 1_000 * second).toISOString();
            if ('snapshot' in one) await show(owner, one.snapshot, seenAt);
            else await owner.bus.publish(owner.store.removalDelta(one.removed));
          }
          for (const id of ['x', 'y']) await eventually(() => expect(seen(other, id)).toEqual(seen(owner, id)));
        }),
        { numRuns: 25, endOnFailure: true },
      );
    });

    test('delivers the changes of one server in order, and always the last one', async () => {
      await using stage = await start();
      const { owner, other } = stage;
      const received: number[] = [];
      other.bus.subscribe(({ server }) => {
        if (server !== null) received.push(Number(server.version));
      });
      for (let version = 1; version <= 200; version += 1) await show(owner, versioned(String(version)));
      await eventually(() => expect(received.at(-1)).toBe(200));
      expect(received).toEqual([...received].sort((a, b) => a - b));
    });

    test('delivers each event once and in order on both nodes', async () => {
      await using stage = await start();
      const { owner, other } = stage;
      await show(owner, versioned('1'));
      await eventually(() => expect(seen(other, 'x')).not.toBeNull());
      const messages = Array.from({ length: 50 }, (_, index) => `event ${index}`);
      for (const message of messages) await owner.bus.publish({ ...emptyDelta('x'), events: [notice(message)] });
      expect(events(owner)).toEqual(messages);
      await eventually(() => expect(events(other)).toEqual(messages));
    });

    test('delivers each message between agents once and in order, apart from the other events', async () => {
      await using stage = await start();
      const { owner, other } = stage;
      await show(owner, versioned('1'));
      await eventually(() => expect(seen(other, 'x')).not.toBeNull());
      const sent = Array.from({ length: 20 }, (_, index) => messageWith(`m${index}`));
      for (const [index, message] of sent.entries())
        await owner.bus.publish({ ...emptyDelta('x'), events: [message, notice(`event ${index}`)] });
      for (const { store } of [owner, other])
        await eventually(() => expect(store.messages.since(0).events).toEqual(sent));
      expect(events(owner)).toEqual(sent.map((_, index) => `event ${index}`));
      await eventually(() => expect(events(other)).toEqual(events(owner)));
    });

    test('rejects publish when a subscriber throws, and calls all other subscribers', async () => {
      await using stage = await start();
      const { owner, other } = stage;
      const received: unknown[] = [];
      for (const { bus } of [owner, other]) {
        bus.subscribe(() => {
          throw new Error('the callback');
        });
        bus.subscribe((change) => received.push(change));
      }
      await expect(show(owner, versioned('1'))).rejects.toThrow('the callback');
      await eventually(() => expect(seen(other, 'x')).toEqual(seen(owner, 'x')));
      expect(received).toHaveLength(2);
    });

    test('does not call a disposed subscriber', async () => {
      await using stage = await start();
      const { owner } = stage;
      const received: unknown[] = [];
      const subscription = owner.bus.subscribe((change) => received.push(change));
      subscription[Symbol.dispose]();
      await show(owner, versioned('1'));
      expect(received).toEqual([]);
    });
  });
}
