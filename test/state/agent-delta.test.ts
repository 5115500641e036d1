import { describe, expect, test } from 'vitest';
import { type AgentDelta, computeAgentDeltas } from '../../src/state/agent-delta.js';
import { createView, emptyDelta, Store } from '../../src/state/index.js';
import { EPOCH_TIME } from '../support/arbitraries.js';
import { agentWith } from './fixed-state.js';

const VIEW = createView();
const NOTHING = createView({ includePerformance: false, includeNeural: false, includeTopology: false });

function storeOf(...agents: readonly ReturnType<typeof agentWith>[]): Store {
  const store = new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 1 });
  for (const agent of agents) store.commit({ ...emptyDelta('x'), agents: [agent] });
  return store;
}

function deltaOf(store: Store, since: number): AgentDelta {
  const [delta] = computeAgentDeltas(store.agents, since, store.lastSeenAt);
  if (delta === undefined) throw new Error('nothing changed');
  return delta;
}

describe('AgentDelta', () => {
  const topology = { role: null, parentId: null, depth: null, degree: 1, inferred: false };
  const [before, after] = [agentWith('a'), agentWith('a', { status: 'BUSY' })];

  test('computes each change once per set of included parts', () => {
    const delta = deltaOf(storeOf(before, after), 1);
    for (const view of [VIEW, NOTHING]) {
      const change = delta.changeFor(after, view);
      expect(change?.agent).toEqual(after);
      expect(change?.patch()).toEqual({ status: 'BUSY', lastSeenAt: EPOCH_TIME });
      expect(
        delta.changeFor(
          after,
          createView({
            ...view,
            serverIds: ['x'],
            serverTypes: null,
            agentTypes: null,
            swarmIds: null,
            agentIds: null,
          }),
        ),
      ).toBe(change);
      const full = delta.fullChange(after, view);
      expect(full.agent).toEqual(after);
      expect(delta.fullChange(after, view)).toBe(full);
      expect(Object.keys(full.patch())).toHaveLength(view === VIEW ? 25 : 20);
    }
  });

  test('is null when no included part changed, also when it is asked again', () => {
    const changed = agentWith('a', { topology });
    const delta = deltaOf(storeOf(before, changed), 1);
    expect([delta.changeFor(changed, NOTHING), delta.changeFor(changed, NOTHING)]).toEqual([null, null]);
    expect(delta.changeFor(changed, VIEW)?.patch()).toEqual({ topology, lastSeenAt: EPOCH_TIME });
  });

  test('keeps its patch when the agent changes again', () => {
    const store = storeOf(before, after);
    const delta = deltaOf(store, 1);
    const change = delta.changeFor(after, VIEW);
    store.commit({ ...emptyDelta('x'), agents: [{ ...after, name: 'other' }] });
    expect(change?.patch()).toEqual({ status: 'BUSY', lastSeenAt: EPOCH_TIME });
    expect(delta.fieldRevisions).not.toContain(3);
  });

  test('lists the oldest change first', () => {
    const store = storeOf(agentWith('a'), agentWith('b'), agentWith('c'), after);
    const ids = (since: number): string[] =>
      computeAgentDeltas(store.agents, since, store.lastSeenAt).map(({ id }) => id);
    expect([ids(0), ids(2), ids(4)]).toEqual([['x:b', 'x:c', 'x:a'], ['x:c', 'x:a'], []]);
  });

  test('of a removed agent has its past keys and no agent', () => {
    const store = storeOf(before);
    store.commit({ ...emptyDelta('x'), removedAgentIds: [before.id] });
    const delta = deltaOf(store, 1);
    expect(delta.agent).toBeNull();
    expect(delta.pastKeys).toMatchObject({ exact: true, keys: [{ serverId: 'x', type: 'coder' }] });
    expect(deltaOf(store, 0).pastKeys).toEqual({ exact: true, keys: [] });
  });
});
