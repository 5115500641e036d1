import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesSince, createView, type Store, type View } from '../../src/state/index.js';
import { serverOf, serverSnapshotOf, anyViewOptions } from '../support/arbitraries.js';
import { expectCurrentState, Reader } from '../support/contract-client.js';
import { runs } from '../support/fuzz-inputs.js';
import { applyChange, newStore, serverChange, show } from './histories.js';

/** Client with one subscription. Reconnects with any cursor that the subscription has had, also with the one it began with. */
class ResumingClient {
  readonly reader = new Reader();
  readonly #store: Store;
  #view: View = createView();
  #cursors: string[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** Replaces the subscription by one with other filters and the last cursor. */
  replace(view: View): void {
    const last = this.#cursors.at(-1);
    this.#cursors = last === undefined ? [] : [last];
    this.#view = view;
    this.#resume(last);
  }

  /** @param index which of the cursors of the subscription the client passes */
  reconnect(index: number): void {
    this.#resume(this.#cursors[index % Math.max(1, this.#cursors.length)]);
  }

  read(): void {
    const { position } = this.reader.read(this.#store, this.#view);
    this.#cursors.push(this.#store.createCursor(position));
    expectCurrentState(this.reader, this.#store, this.#view);
  }

  #resume(cursor: string | undefined): void {
    this.reader.position = cursor === undefined ? null : this.#store.resolveCursor(cursor, this.#view);
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 7, arbitrary: serverChange.map((change) => ({ change })) },
    { weight: 1, arbitrary: anyViewOptions.map((options) => ({ replace: options })) },
    { weight: 4, arbitrary: fc.nat(50).map((index) => ({ reconnect: index })) },
    { weight: 4, arbitrary: fc.constant({ read: true as const }) },
  ),
  { minLength: 5, maxLength: 40 },
);

describe('a client that resumes', () => {
  test.each([100, 1, 0])(
    'for any history and any earlier cursor: has the current state (%i tombstones)',
    (tombstones) => {
      fc.assert(
        fc.property(steps, (history) => {
          const store = newStore(tombstones);
          const client = new ResumingClient(store);
          for (const step of history) {
            if ('change' in step) applyChange(store, step.change);
            else if ('replace' in step) client.replace(createView(step.replace));
            else if ('reconnect' in step) client.reconnect(step.reconnect);
            else client.read();
          }
          client.read();
        }),
        runs(600),
      );
    },
  );

  test('receives the removal of agents and edges that came and went after its cursor', () => {
    const store = newStore();
    const server = serverOf('x');
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents, edges }) => agents.length === 5 && edges.length > 0),
      { numRuns: 1, seed: 1 },
    );
    if (snapshot === undefined) throw new Error('no sample');
    const empty = { server, agents: [], swarms: [], edges: [], tasks: [] };
    show(store, empty);
    const view = createView();
    const cursor = store.createCursor(changesSince(store, null, view).position);
    show(store, snapshot);
    show(store, empty);
    const changes = changesSince(store, store.resolveCursor(cursor, view), view);
    expect(changes).toMatchObject({ kind: 'DELTA', agents: [] });
    expect([...changes.removedAgentIds].sort()).toEqual(snapshot.agents.map(({ id }) => id).sort());
    const removedEdgeIds = changes.topologyChanges?.flatMap((change) => change.removedEdgeIds) ?? [];
    expect(removedEdgeIds.sort()).toEqual(snapshot.edges.map(({ id }) => id).sort());
  });

  test('receives the removal of topology that came and went after a cursor of a view without topology', () => {
    const store = newStore();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents, swarms, edges }) => {
        const ids = new Set(agents.map(({ id }) => id));
        return swarms.length > 0 && edges.some(({ from, to }) => ids.has(from) && ids.has(to));
      }),
      { numRuns: 1, seed: 1 },
    );
    if (snapshot === undefined) throw new Error('no sample');
    show(store, { ...snapshot, swarms: [], edges: [] });
    const reader = new Reader();
    const cursor = store.createCursor(reader.read(store, createView({ includeTopology: false })).position);
    const view = createView();
    const resume = (): void => {
      reader.position = store.resolveCursor(cursor, view);
      reader.read(store, view);
    };
    show(store, snapshot);
    resume();
    expect(reader.edges.size).toBeGreaterThan(0);
    show(store, { ...snapshot, swarms: [], edges: [] });
    resume();
    expectCurrentState(reader, store, view);
  });

  test('receives nothing when nothing changed after its cursor', () => {
    fc.assert(
      fc.property(serverSnapshotOf('x'), anyViewOptions, (snapshot, options) => {
        const store = newStore();
        const view = createView(options);
        show(store, snapshot);
        const cursor = store.createCursor(changesSince(store, null, view).position);
        expect(changesSince(store, store.resolveCursor(cursor, view), view).isEmpty).toBe(true);
      }),
      runs(200),
    );
  });

  test('receives only changed fields of an agent that stayed in its view', () => {
    const store = newStore();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.length === 5),
      { numRuns: 1, seed: 1 },
    );
    const [agent] = snapshot?.agents ?? [];
    if (snapshot === undefined || agent === undefined) throw new Error('no sample');
    const renamed = { ...snapshot, agents: snapshot.agents.map((each) => ({ ...each, name: `${each.name}-2` })) };
    const view = createView();
    show(store, snapshot);
    const cursor = store.createCursor(changesSince(store, null, view).position);
    show(store, renamed);
    const { agents } = changesSince(store, store.resolveCursor(cursor, view), view);
    expect(agents.map(({ patch }) => Object.keys(patch()).sort())).toEqual(
      snapshot.agents.map(() => ['lastSeenAt', 'name']),
    );
  });
});
