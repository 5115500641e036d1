import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesSince, createView, type ServerSnapshot } from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, serverOf, anyViewOptions, viewOptions } from '../support/arbitraries.js';
import { expectCurrentState, expectedAgents, Reader } from '../support/contract-client.js';
import { runs } from '../support/fuzz-inputs.js';
import { applyChange, newStore, serverChange, show } from './histories.js';

/** Steps of a history: a server changes, a server is removed, or the reader reads through some view. */
const history = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: serverChange.map((change) => ({ change })) },
    { weight: 3, arbitrary: anyViewOptions.map((options) => ({ read: options })) },
    { weight: 3, arbitrary: fc.constant({ readAgain: true as const }) },
  ),
  { maxLength: 30 },
);

describe('changesSince', () => {
  test.each([
    ['with room for every removal', 100],
    ['with room for one removal', 1],
    ['with room for none', 0],
  ])('for any history and views: the state of the reader equals a fresh query, %s', (_name, maxTombstones) => {
    fc.assert(
      fc.property(history, (steps) => {
        const store = newStore(maxTombstones);
        const reader = new Reader();
        let view = createView();
        const readAndCompare = (): void => {
          reader.read(store, view);
          expectCurrentState(reader, store, view);
        };
        for (const step of steps) {
          if ('change' in step) applyChange(store, step.change);
          else {
            if ('read' in step) view = createView(step.read);
            readAndCompare();
          }
        }
        readAndCompare();
      }),
      runs(300),
    );
  });

  test('for any views: removes only ids that the reader has', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const store = newStore();
        const reader = new Reader();
        let view = createView();
        for (const step of steps) {
          if ('change' in step) applyChange(store, step.change);
          else {
            if ('read' in step) view = createView(step.read);
            const had = new Set([...reader.agents.keys(), ...reader.tasks.keys()]);
            const { removedAgentIds, removedTaskIds } = reader.read(store, view);
            for (const id of [...removedAgentIds, ...removedTaskIds]) expect(had).toContain(id);
          }
        }
      }),
      runs(300),
    );
  });

  test('is empty and keeps the position when nothing changed', () => {
    fc.assert(
      fc.property(serverSnapshotOf('x'), anyViewOptions, (snapshot, options) => {
        const store = newStore();
        const view = createView(options);
        show(store, snapshot);
        const { position } = changesSince(store, null, view);
        show(store, snapshot);
        const again = changesSince(store, position, view);
        expect(again).toMatchObject({
          kind: 'DELTA',
          isEmpty: true,
          agents: [],
          removedAgentIds: [],
          tasks: [],
          removedTaskIds: [],
        });
        expect(again.position.revision).toBe(position.revision);
      }),
    );
  });

  test('for any history: a delta contains only agents and fields that differ for the reader', () => {
    fc.assert(
      fc.property(serverSnapshotOf('x'), serverSnapshotOf('x'), viewOptions, (before, after, options) => {
        const store = newStore();
        const view = createView(options);
        show(store, before);
        const { position } = changesSince(store, null, view);
        const old = expectedAgents(store, view);
        show(store, after);
        for (const { agent, patch } of changesSince(store, position, view).agents) {
          const previous = old.get(agent.id);
          if (previous === undefined) continue;
          const { lastSeenAt, ...changed } = patch();
          expect(lastSeenAt).toBe(EPOCH_TIME);
          expect(Object.keys(changed).length).toBeGreaterThan(0);
          for (const key of Object.keys(changed)) {
            expect(agent[key as keyof typeof agent]).not.toEqual(previous[key as keyof typeof agent]);
          }
        }
      }),
    );
  });

  test('returns a snapshot when the position is behind the horizon, ahead of the store, or from another epoch', () => {
    const store = newStore(1);
    const view = createView();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.length >= 3),
      1,
    );
    if (snapshot === undefined) throw new Error('no sample');
    show(store, snapshot);
    const { position } = changesSince(store, null, view);
    show(store, { server: snapshot.server, agents: [], swarms: [], edges: [], tasks: [] });
    expect(changesSince(store, position, view).kind).toBe('SNAPSHOT');
    expect(changesSince(store, { view, revision: store.revision + 1 }, view).kind).toBe('SNAPSHOT');
  });

  test('reports a stale server without agents once to readers that can see it', () => {
    const store = newStore();
    const everything = createView();
    const nothing = createView({ serverTypes: ['CUSTOM'] });
    const empty = { agents: [], swarms: [], edges: [], tasks: [] };
    show(store, { server: serverOf('x'), ...empty });
    const seen = changesSince(store, null, everything).position;
    const unseen = changesSince(store, null, nothing).position;
    show(store, { server: serverOf('x', true), ...empty });
    const changes = changesSince(store, seen, everything);
    expect(changes).toMatchObject({ isEmpty: false, staleServerIds: ['x'] });
    expect(changesSince(store, changes.position, everything).isEmpty).toBe(true);
    expect(changesSince(store, unseen, nothing)).toMatchObject({ isEmpty: true, staleServerIds: [] });
  });

  test('updates lastSeenAt with the server without reporting a change', () => {
    const store = newStore();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.some(({ stale }) => !stale)),
      1,
    );
    const agent = snapshot?.agents.find(({ stale }) => !stale);
    if (snapshot === undefined || agent === undefined) throw new Error('no sample');
    show(store, snapshot);
    const { position } = changesSince(store, null, createView());
    const later = '2026-11-23T15:00:01.000Z';
    store.commit(store.diff(snapshot, later));
    expect(store.lastSeenAt(agent)).toBe(later);
    expect(changesSince(store, position, createView()).isEmpty).toBe(true);
  });
});

describe('an agent that comes and goes repeatedly', () => {
  test('is sent to its reader alone, without a snapshot', () => {
    const store = newStore();
    const view = createView({ agentTypes: ['coder'] });
    const agents =
      fc.sample(
        serverSnapshotOf('x').filter((snapshot) => snapshot.agents.length === 5),
        { numRuns: 1, seed: 1 },
      )[0]?.agents ?? [];
    const flapping = (round: number): ServerSnapshot => ({
      server: serverOf('x'),
      agents: agents.map((agent, index) => ({ ...agent, type: index === 0 && round % 2 === 0 ? 'tester' : 'coder' })),
      swarms: [],
      edges: [],
      tasks: [],
    });
    show(store, flapping(0));
    const reader = new Reader();
    reader.read(store, view);
    for (let round = 1; round <= 100; round += 1) show(store, flapping(round));
    const shown = reader.read(store, view);
    expect(shown).toMatchObject({ kind: 'DELTA', removedAgentIds: ['x:a'] });
    show(store, flapping(101));
    expect(reader.read(store, view).agents.map(({ agent }) => agent.id)).toEqual(['x:a']);
    expect(reader.agents).toEqual(expectedAgents(store, view));
  });
});
