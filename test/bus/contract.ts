import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/index.js';
import type { Notice } from '../../src/domain/index.js';
import { emptyChange, serverPicture, type ServerPicture, Store } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, serverOf } from '../support/arbitraries.js';
import { waitUntil } from '../support/wait.js';

/** One node as far as a bus knows it. */
export interface BusNode {
  readonly bus: Bus;
  /** The bus's first subscriber commits to it. */
  readonly store: Store;
}

/** Two nodes, of which the first holds the servers x and y. */
export interface BusStage extends AsyncDisposable {
  readonly holder: BusNode;
  readonly other: BusNode;
}

export function newStore(maxTombstones = 100): Store {
  return new Store({ epoch: 'e', maxTombstones, maxEvents: 1_000 });
}

export function notice(message: string, serverId: string | null = 'x'): Notice {
  return { type: 'notice', code: 'X', severity: 'INFO', message, serverId, timestamp: EPOCH_TIME };
}

/** A server without agents, whose version tells one picture from another. */
export function versioned(version: string): ServerPicture {
  return { server: { ...serverOf('x'), version }, agents: [], swarms: [], edges: [] };
}

export function show({ bus, store }: BusNode, picture: ServerPicture, seenAt = EPOCH_TIME): Promise<void> {
  return bus.publish(store.diff(picture, seenAt));
}

/** Everything of one server, as readers see it. */
export function seen({ store }: BusNode, serverId: string): unknown {
  const picture = serverPicture(store, serverId);
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  return (
    picture && {
      server: picture.server,
      seenAt: store.serverSeenAt(serverId),
      agents: picture.agents.map((agent) => ({ ...agent, lastSeenAt: store.seenAt(agent) })).sort(byId),
      swarms: [...picture.swarms].sort(byId),
      edges: [...picture.edges].sort(byId),
    }
  );
}

export function events({ store }: BusNode): readonly string[] {
  return store.events.since(0).events.map((event) => (event.type === 'notice' ? event.message : event.type));
}

/**
 * Resolves once `check` does not throw; what another process does takes an unknown time.
 * @param act is done after each check that threw
 * @throws with the last error of the check when it hangs
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

/** What every bus does, whatever carries it. */
export function busContract(start: () => Promise<BusStage>): void {
  describe('the contract of a bus', () => {
    test('a change has reached the own subscribers, in their order, when publish returns', async () => {
      await using stage = await start();
      const { holder } = stage;
      const heard: string[] = [];
      holder.bus.subscribe(({ server }) => heard.push(`first ${server?.version}`));
      holder.bus.subscribe(({ server }) => heard.push(`second ${server?.version}`));
      const published = show(holder, versioned('1'));
      expect(heard).toEqual(['first 1', 'second 1']);
      expect(holder.store.servers.get('x')?.version).toBe('1');
      await published;
    });

    test('another node ends up with the same picture, whatever happened', async () => {
      await using stage = await start();
      const { holder, other } = stage;
      const step = fc.oneof(
        { weight: 3, arbitrary: pictureOf('x').map((picture) => ({ picture })) },
        { weight: 2, arbitrary: pictureOf('y').map((picture) => ({ picture })) },
        { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((removed) => ({ removed })) },
      );
      let second = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          for (const one of steps) {
            second += 1;
            const seenAt = new Date(Date.parse(EPOCH_TIME) + 1_000 * second).toISOString();
            if ('picture' in one) await show(holder, one.picture, seenAt);
            else await holder.bus.publish(holder.store.removal(one.removed));
          }
          for (const id of ['x', 'y']) await eventually(() => expect(seen(other, id)).toEqual(seen(holder, id)));
        }),
        { numRuns: 25, endOnFailure: true },
      );
    });

    test('changes of one server come in their order, the last one surely', async () => {
      await using stage = await start();
      const { holder, other } = stage;
      const heard: number[] = [];
      other.bus.subscribe(({ server }) => {
        if (server !== null) heard.push(Number(server.version));
      });
      for (let version = 1; version <= 200; version += 1) await show(holder, versioned(String(version)));
      await eventually(() => expect(heard.at(-1)).toBe(200));
      expect(heard).toEqual([...heard].sort((a, b) => a - b));
    });

    test('each event comes once, in order, on both nodes', async () => {
      await using stage = await start();
      const { holder, other } = stage;
      await show(holder, versioned('1'));
      await eventually(() => expect(seen(other, 'x')).not.toBeNull());
      const told = Array.from({ length: 50 }, (_, index) => `event ${index}`);
      for (const message of told) await holder.bus.publish({ ...emptyChange('x'), events: [notice(message)] });
      expect(events(holder)).toEqual(told);
      await eventually(() => expect(events(other)).toEqual(told));
    });

    test('a callback that throws fails publish, and harms nobody else', async () => {
      await using stage = await start();
      const { holder, other } = stage;
      const heard: unknown[] = [];
      for (const { bus } of [holder, other]) {
        bus.subscribe(() => {
          throw new Error('the callback');
        });
        bus.subscribe((change) => heard.push(change));
      }
      await expect(show(holder, versioned('1'))).rejects.toThrow('the callback');
      await eventually(() => expect(seen(other, 'x')).toEqual(seen(holder, 'x')));
      expect(heard).toHaveLength(2);
    });

    test('who has left hears nothing', async () => {
      await using stage = await start();
      const { holder } = stage;
      const heard: unknown[] = [];
      const subscription = holder.bus.subscribe((change) => heard.push(change));
      subscription[Symbol.dispose]();
      await show(holder, versioned('1'));
      expect(heard).toEqual([]);
    });
  });
}
