import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Agent, Notice } from '../../src/model/index.js';
import {
  emptyDelta,
  serverChangesSince,
  type ServerCursor,
  serverSnapshot,
  type ServerSnapshot,
} from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf } from '../support/arbitraries.js';
import { runs } from '../support/fuzz-inputs.js';
import { applyChange, newStore, serverChange, show } from './histories.js';

const NOWHERE: ServerCursor = { revision: -1, events: 0, messages: 0 };

function notice(message: string, serverId: string | null): Notice {
  return { type: 'notice', code: 'X', severity: 'INFO', message, serverId, timestamp: EPOCH_TIME };
}

function sorted(snapshot: ServerSnapshot | null): unknown {
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  return (
    snapshot && {
      server: snapshot.server,
      agents: [...snapshot.agents].sort(byId),
      swarms: [...snapshot.swarms].sort(byId),
      edges: [...snapshot.edges].sort(byId),
      tasks: [...snapshot.tasks].sort(byId),
    }
  );
}

/** Steps of a history: one of two servers changes or is removed, or the reader reads. */
const history = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: serverChange.map((change) => ({ change })) },
    { weight: 2, arbitrary: fc.constant({ read: true as const }) },
  ),
  { maxLength: 30 },
);

describe('serverChangesSince', () => {
  test.each([100, 1, 0])(
    'for any history: brings the snapshot at the cursor to the current one (%d tombstones)',
    (room) => {
      fc.assert(
        fc.property(history, (steps) => {
          const store = newStore(room);
          const copy = newStore();
          const patched = new Map<string, unknown>();
          let cursor = NOWHERE;
          const read = (): void => {
            const changes = serverChangesSince(store, 'x', cursor);
            cursor = changes.cursor;
            if (changes.kind === 'SNAPSHOT') {
              const snapshot = serverSnapshot(store, 'x');
              copy.commit(snapshot === null ? copy.removalDelta('x') : copy.diff(snapshot, null));
              patched.clear();
            } else {
              copy.commit(changes.delta);
              for (const id of changes.delta.removedAgentIds) patched.delete(id);
            }
            for (const agent of copy.agents.values()) {
              const patch = changes.kind === 'DELTA' ? changes.patches.get(agent.id) : undefined;
              const before = patched.get(agent.id);
              patched.set(agent.id, patch === undefined || before === undefined ? agent : merged(before, patch));
            }
            expect(sorted(serverSnapshot(copy, 'x'))).toEqual(sorted(serverSnapshot(store, 'x')));
            expect(new Map(patched)).toEqual(new Map([...copy.agents.values()].map((agent) => [agent.id, agent])));
          };
          for (const step of steps) {
            if ('change' in step) applyChange(store, step.change);
            else read();
          }
          read();
        }),
        runs(200),
      );
    },
  );

  test('can be applied at any revision since the cursor', () => {
    fc.assert(
      fc.property(serverSnapshotOf('x'), serverSnapshotOf('x'), serverSnapshotOf('x'), (first, second, third) => {
        const store = newStore();
        show(store, first);
        const cursor = { revision: store.revision, events: 0, messages: 0 };
        show(store, second);
        const copy = newStore();
        show(copy, second);
        show(store, third);
        const changes = serverChangesSince(store, 'x', cursor);
        if (changes.kind !== 'DELTA') throw new Error('not a delta');
        copy.commit(changes.delta);
        expect(sorted(serverSnapshot(copy, 'x'))).toEqual(sorted(serverSnapshot(store, 'x')));
      }),
    );
  });

  test('conflates the changes of one agent, and reports one that came and went as removed', () => {
    const store = newStore();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.length > 1),
      { numRuns: 1, seed: 1 },
    );
    const [first, ...others] = snapshot?.agents ?? [];
    if (snapshot === undefined || first === undefined) throw new Error('no sample');
    const showAgents = (agents: readonly Agent[]): void => show(store, { ...snapshot, edges: [], agents });
    showAgents([first]);
    const cursor = { revision: store.revision, events: 0, messages: 0 };
    for (const name of ['a', 'b', 'c']) showAgents([{ ...first, name }, ...others]);
    showAgents([{ ...first, name: 'd' }]);
    const changes = serverChangesSince(store, 'x', cursor);
    expect(changes).toMatchObject({
      kind: 'DELTA',
      delta: { agents: [{ name: 'd' }], removedAgentIds: others.map(({ id }) => id) },
    });
    expect(changes.kind === 'DELTA' && changes.patches.get(first.id)).toMatchObject({ name: 'd' });
  });

  test('reports a removed server with everything that belonged to it, and nothing of other servers', () => {
    const store = newStore();
    const [x, y] = [serverSnapshotOf('x'), serverSnapshotOf('y')].map(
      (one) => fc.sample(one, { numRuns: 1, seed: 2 })[0],
    );
    if (x === undefined || y === undefined) throw new Error('no sample');
    show(store, x);
    const cursor = { revision: store.revision, events: 0, messages: 0 };
    show(store, y);
    store.commit(store.removalDelta('x'));
    const changes = serverChangesSince(store, 'x', cursor);
    expect(changes).toMatchObject({
      kind: 'DELTA',
      delta: { serverRemoved: true, server: null, agents: [], removedAgentIds: x.agents.map(({ id }) => id) },
    });
    expect(serverSnapshot(store, 'x')).toBeNull();
  });

  test('returns the events of the server in order, and the number of dropped ones', () => {
    const store = newStore();
    const addEvent = (message: string, serverId: string | null): void => {
      store.commit({ ...emptyDelta(serverId ?? ''), events: [notice(message, serverId)] });
    };
    addEvent('before', 'x');
    const cursor = { revision: store.revision, events: store.events.end, messages: 0 };
    addEvent('one', 'x');
    addEvent('other', 'y');
    addEvent('of the node', null);
    const changes = serverChangesSince(store, 'x', cursor);
    expect(changes).toMatchObject({ missedEvents: 0, delta: { events: [{ message: 'one' }] } });
    addEvent('two', 'x');
    addEvent('three', 'x');
    expect(serverChangesSince(store, 'x', cursor)).toMatchObject({
      missedEvents: 2,
      delta: { events: [{ message: 'two' }, { message: 'three' }] },
    });
    expect(serverChangesSince(store, 'x', NOWHERE)).toMatchObject({ kind: 'SNAPSHOT', events: [{}, {}] });
  });
});

/** Applies a patch to an agent that is a plain object. */
function merged(before: unknown, patch: Readonly<Record<string, unknown>>): unknown {
  const agent: Record<string, unknown> = { ...(before as object) };
  for (const [key, value] of Object.entries(patch)) {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
    agent[key] = isGroup ? { ...(agent[key] as object | null), ...value } : value;
  }
  return agent;
}
