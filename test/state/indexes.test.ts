import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  aggregatePerformance,
  createView,
  matchesAgent,
  serverSnapshot,
  type ServerSnapshot,
  Store,
} from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf } from '../support/arbitraries.js';

const SERVERS = ['x', 'y', 'z'] as const;

/** Returns what a store answers from its indexes. */
function indexed(store: Store, swarmIds: readonly string[]): unknown {
  return {
    servers: SERVERS.map((id) => [
      id,
      store.countAgents(id),
      new Set(store.agentsOfServer(id)),
      new Set(store.swarmsOfServer(id)),
      new Set(store.edgesOfServer(id)),
      store.agentCounts(id).stale,
      new Map([...store.agentCounts(id).byStatus].filter(([, count]) => count > 0)),
    ]),
    swarms: swarmIds.map((id) => [id, store.countSwarmAgents(id), new Set(store.edgesOfSwarm(id))]),
    types: new Map(store.agentTypeCounts()),
  };
}

/** Returns the same by visiting every item. */
function scanned(store: Store, swarmIds: readonly string[]): unknown {
  const agents = [...store.agents.values()];
  const edges = [...store.edges.values()];
  const count = <K>(keys: readonly K[]): Map<K, number> =>
    new Map(keys.map((key) => [key, keys.filter((one) => one === key).length]));
  return {
    servers: SERVERS.map((id) => {
      const own = agents.filter(({ serverId }) => serverId === id);
      return [
        id,
        own.length,
        new Set(own),
        new Set([...store.swarms.values()].filter(({ serverId }) => serverId === id)),
        new Set(edges.filter(({ serverId }) => serverId === id)),
        own.filter(({ stale }) => stale).length,
        count(own.map(({ status }) => status)),
      ];
    }),
    swarms: swarmIds.map((id) => [
      id,
      agents.filter(({ swarmId }) => swarmId === id).length,
      new Set(edges.filter(({ swarmId }) => swarmId === id)),
    ]),
    types: count(agents.map(({ type }) => type)),
  };
}

type Step = ServerSnapshot | (typeof SERVERS)[number];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...SERVERS).chain((id) => serverSnapshotOf(id)) },
  { weight: 1, arbitrary: fc.constantFrom(...SERVERS) },
);

function apply(store: Store, one: Step): void {
  if (typeof one !== 'string') store.commit(store.diff(one, EPOCH_TIME));
  else if (store.servers.get(one) !== undefined) store.commit(store.removalDelta(one));
}

describe('indexes of the store', () => {
  test('for any changes: return what a visit of every item returns', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const store = new Store({ epoch: 'e', maxTombstones: 3, maxEvents: 1 });
        for (const one of steps) {
          apply(store, one);
          const swarmIds = [...store.swarms.records()].map(({ id }) => id);
          expect(indexed(store, swarmIds)).toEqual(scanned(store, swarmIds));
        }
      }),
    );
  });

  test('for any changes and filters: find the agents that match', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.infiniteStream(fc.nat(7)), (steps, picks) => {
        const store = new Store({ epoch: 'e', maxTombstones: 3, maxEvents: 1 });
        for (const one of steps) apply(store, one);
        const agents = [...store.agents.values()];
        const pick = <T>(values: readonly T[]): readonly T[] | null => {
          const value = Number(picks.next().value);
          return value === 0 ? null : [...new Set(values)].filter((_, index) => (index + value) % 3 > 0);
        };
        const view = createView({
          serverIds: pick(SERVERS),
          serverTypes: pick(agents.map(({ serverType }) => serverType)),
          agentTypes: pick(agents.map(({ type }) => type)),
          swarmIds: pick(agents.flatMap(({ swarmId }) => swarmId ?? [])),
        });
        const expected = agents.filter((agent) => matchesAgent(view, agent));
        expect(new Set(store.agentsMatching(view))).toEqual(new Set(expected));
        expect(store.agentsMatching(view)).toHaveLength(expected.length);
        expect(store.performanceMetrics(view).totalAgents).toBe(expected.length);
      }),
    );
  });

  test('are used instead of a visit of all agents, swarms and edges', () => {
    const store = new Store({ epoch: 'e', maxTombstones: 3, maxEvents: 1 });
    const [first, second] = fc.sample(serverSnapshotOf('x'), { numRuns: 2, seed: 11 });
    for (const snapshot of [first, second]) if (snapshot !== undefined) store.commit(store.diff(snapshot, EPOCH_TIME));
    const visits = [store.agents, store.swarms, store.edges].map((items) => vi.spyOn(items, 'values'));
    if (first !== undefined) store.diff(first, EPOCH_TIME);
    store.removalDelta('x');
    serverSnapshot(store, 'x');
    for (const options of [{ serverIds: ['x'] }, { serverTypes: [] }, { agentTypes: ['a'] }, { swarmIds: ['x:s'] }])
      store.agentsMatching(createView(options));
    indexed(store, ['x:s']);
    expect(visits.map((visit) => visit.mock.calls.length)).toEqual([0, 0, 0]);
  });

  test('compute metrics of a view once per commit', () => {
    const store = new Store({ epoch: 'e', maxTombstones: 3, maxEvents: 1 });
    const snapshots = fc.sample(serverSnapshotOf('x'), { numRuns: 20, seed: 3 });
    for (const snapshot of snapshots) {
      store.commit(store.diff(snapshot, EPOCH_TIME));
      const metrics = store.performanceMetrics(createView());
      expect(metrics).toEqual(aggregatePerformance([...store.agents.values()]));
      expect(store.performanceMetrics(createView())).toBe(metrics);
    }
  });
});
