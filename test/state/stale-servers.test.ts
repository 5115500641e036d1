import { describe, expect, test } from 'vitest';
import { changesSince, createView, emptyDelta, Store, type View } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { agentWith, edgeWith } from './fixed-state.js';

const ALL = createView();
const ONLY_X = createView({ serverIds: ['x'] });
const ONLY_Y = createView({ serverIds: ['y'] });

function newStore(): Store {
  return new Store({ epoch: 'e', maxTombstones: 10, maxEvents: 1 });
}

/** Commits a server and returns the revision. */
function show(store: Store, id: string, stale: boolean, serverTypes = serverOf(id).agentServerTypes): number {
  store.commit({ ...emptyDelta(id), server: { ...serverOf(id, stale), agentServerTypes: serverTypes } });
  return store.revision;
}

describe('stale servers of an update', () => {
  function read(store: Store, revision: number, before: View, view = before) {
    const { isEmpty, staleServerIds } = changesSince(store, { revision, view: before }, view);
    return { isEmpty, staleServerIds };
  }

  test('change with each transition of a server', () => {
    const store = newStore();
    const fresh = show(store, 'x', false);
    const stale = show(store, 'x', true);
    expect(read(store, fresh, ALL)).toEqual({ isEmpty: false, staleServerIds: ['x'] });
    expect(read(store, stale, ALL)).toEqual({ isEmpty: true, staleServerIds: ['x'] });
    store.commit({ ...emptyDelta('x'), server: { ...serverOf('x', true), name: 'renamed' } });
    expect(read(store, stale, ALL)).toEqual({ isEmpty: true, staleServerIds: ['x'] });
    show(store, 'x', false);
    expect(read(store, stale, ALL)).toEqual({ isEmpty: false, staleServerIds: [] });
    expect(read(store, fresh, ALL)).toEqual({ isEmpty: true, staleServerIds: [] });
  });

  test('change when the server types of a stale server change', () => {
    const store = newStore();
    const daa = createView({ serverTypes: ['DAA'] });
    show(store, 'x', true, ['RUV_SWARM']);
    const inView = show(store, 'x', true, ['DAA']);
    expect(read(store, inView - 1, daa)).toEqual({ isEmpty: false, staleServerIds: ['x'] });
    show(store, 'x', true, ['RUV_SWARM']);
    expect(read(store, inView, daa)).toEqual({ isEmpty: false, staleServerIds: [] });
  });

  test('do not change with a server outside the view', () => {
    const store = newStore();
    const revision = show(store, 'y', true);
    show(store, 'y', false);
    expect(read(store, revision, ONLY_X)).toEqual({ isEmpty: true, staleServerIds: [] });
  });

  test('change when the view changes to a stale server, or from one', () => {
    const store = newStore();
    const revision = show(store, 'y', true);
    expect(read(store, revision, ONLY_X, ONLY_Y)).toEqual({ isEmpty: false, staleServerIds: ['y'] });
    expect(read(store, revision, ONLY_Y, ONLY_X)).toEqual({ isEmpty: false, staleServerIds: [] });
    expect(read(store, revision, ONLY_Y, ALL)).toEqual({ isEmpty: true, staleServerIds: ['y'] });
  });

  test('are sent to a reader that may have seen a server as stale through its new view', () => {
    const store = newStore();
    const revision = show(store, 'y', false);
    show(store, 'y', true);
    show(store, 'y', false);
    const resumed = changesSince(store, { revision, view: ONLY_X, resumedFrom: 'THIS_NODE' }, ONLY_Y);
    expect(resumed).toMatchObject({ kind: 'DELTA', isEmpty: false, staleServerIds: [] });
    expect(read(store, revision, ONLY_X, ONLY_Y).isEmpty).toBe(true);
  });
});

describe('unchanged edges of an update', () => {
  test('are sent after a change of the view only if the reader may lack them', () => {
    const store = newStore();
    const [a, b] = [agentWith('a'), agentWith('b')];
    store.commit({ ...emptyDelta('x'), server: serverOf('x'), agents: [a, b], edges: [edgeWith('a', 'b')] });
    const { revision } = store;
    const sentEdges = (resumedFrom?: 'THIS_NODE' | 'OTHER_NODE'): readonly string[] => {
      const since = { revision, view: ALL, ...(resumedFrom && { resumedFrom }) };
      return (changesSince(store, since, ONLY_X).topologyChanges ?? []).flatMap(({ edges }) =>
        edges.map(({ id }) => id),
      );
    };
    expect([sentEdges(), sentEdges('THIS_NODE')]).toEqual([[], []]);
    expect(sentEdges('OTHER_NODE')).toEqual(['x:s|a|b']);
    store.commit({ ...emptyDelta('x'), edges: [edgeWith('a', 'b', { inferred: true })] });
    expect([sentEdges(), sentEdges('THIS_NODE')]).toEqual([['x:s|a|b'], ['x:s|a|b']]);
  });
});
