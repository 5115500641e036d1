import { describe, expect, test } from 'vitest';
import { changesSince, createView, Demand, emptyDelta, Store, type View } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { agentWith } from './fixed-state.js';

/** Set that counts how many of its values have been read one after the other. */
class CountedSet extends Set<string> {
  reads = 0;

  override *[Symbol.iterator](): SetIterator<string> {
    for (const value of super[Symbol.iterator]()) {
      this.reads += 1;
      yield value;
    }
  }
}

/** View with a filter of many unknown swarms, and of one known one. */
function longView(): { readonly view: View; readonly swarmIds: CountedSet } {
  const swarmIds = new CountedSet(['x:swarm', ...Array.from({ length: 10_000 }, (_, index) => `y:swarm-${index}`)]);
  const view = { ...createView({ swarmIds: [...swarmIds] }), swarmIds };
  return { view, swarmIds };
}

function storeWithAgents(): Store {
  const store = new Store({ epoch: 'test', maxTombstones: 100, maxEvents: 100 });
  const agents = ['a', 'b'].map((id) => agentWith(id, { swarmId: 'x:swarm' }));
  store.commit({ ...emptyDelta('x'), server: serverOf('x'), agents });
  return store;
}

describe('a view with a long filter', () => {
  test('is not read again by each poll', () => {
    const demand = new Demand();
    const { view, swarmIds } = longView();
    demand.add(view, 60);
    expect(demand.requiredHz(serverOf('x'))).toBe(60);
    const { reads } = swarmIds;
    for (let poll = 0; poll < 100; poll += 1) demand.requiredHz(serverOf(poll % 2 === 0 ? 'x' : 'z'));
    demand.add(createView({ serverIds: ['z'] }), 1);
    expect(demand.requiredHz(serverOf('x'))).toBe(60);
    expect(swarmIds.reads).toBe(reads);
  });

  test('is not read again by each update, snapshot or aggregation', () => {
    const store = storeWithAgents();
    const { view, swarmIds } = longView();
    let { position } = changesSince(store, null, view);
    store.createCursor(position);
    const { reads } = swarmIds;
    for (let commit = 0; commit < 100; commit += 1) {
      const agent = agentWith('a', { swarmId: 'x:swarm', name: `name ${commit}` });
      store.commit({ ...emptyDelta('x'), agents: [agent] });
      const changes = changesSince(store, position, view);
      expect(changes.agents).toHaveLength(1);
      ({ position } = changes);
      expect(store.performanceMetrics(view).totalAgents).toBe(2);
      expect(changesSince(store, null, view).agents).toHaveLength(2);
      expect(store.createCursor(position).length).toBeLessThan(1_000);
    }
    expect(swarmIds.reads).toBe(reads);
  });
});

describe('Demand', () => {
  test('computes the rate of a server again when its agent types or an entry change', () => {
    const demand = new Demand();
    const entry = demand.add(createView({ serverTypes: ['DAA'] }), 10);
    expect(demand.requiredHz({ id: 'x', agentServerTypes: ['CLAUDE_FLOW'] })).toBe(0);
    expect(demand.requiredHz({ id: 'x', agentServerTypes: ['CLAUDE_FLOW', 'DAA'] })).toBe(10);
    entry[Symbol.dispose]();
    expect(demand.requiredHz({ id: 'x', agentServerTypes: ['CLAUDE_FLOW', 'DAA'] })).toBe(0);
  });
});
