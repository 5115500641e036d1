import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ActiveStreams,
  CommitWaiter,
  isHealthChange,
  isNotice,
  RateClock,
  RateLimit,
  type StreamDeps,
  streamEvents,
  streamMetrics,
  streamTopology,
  SubscriptionGroups,
} from '../../../src/delivery/index.js';
import type { PerformanceMode, SwarmlensEvent } from '../../../src/model/index.js';
import { createView, Demand, emptyDelta, Store } from '../../../src/state/index.js';
import { EPOCH_TIME, serverOf } from '../../support/arbitraries.js';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { agentWith, edgeWith, swarmWith } from '../../state/fixed-state.js';

test.each<[PerformanceMode, number | null, number]>([
  ['HIGH_FREQUENCY', null, 60],
  ['HIGH_FREQUENCY', 30, 30],
  ['NORMAL', null, 10],
  ['NORMAL', 30, 10],
  ['LOW_FREQUENCY', null, 1],
  ['ON_DEMAND', 30, 0],
])('RateLimit limits the rate of %s to %j Hz', (mode, maxHz, expected) => {
  expect(new RateLimit(maxHz).hzOf(mode)).toBe(expected);
});

describe('streams', () => {
  let clock: ManualClock;
  let store: Store;
  let demand: Demand;
  let active: ActiveStreams;
  let deps: StreamDeps;
  let found: unknown[];

  beforeEach(() => {
    clock = new ManualClock();
    store = new Store({ epoch: 'e', maxTombstones: 10, maxEvents: 2 });
    demand = new Demand();
    active = new ActiveStreams();
    found = [];
    const rateClock = new RateClock(clock);
    const onError = (error: unknown): never => expect.unreachable(String(error));
    const groups = new SubscriptionGroups({ store, demand, rateClock, active, utilization: () => 0, onError });
    deps = { store, demand, commits: new CommitWaiter(store), rateClock, active, groups };
    store.commit({ ...emptyDelta('x'), server: serverOf('x'), seenAt: EPOCH_TIME });
  });

  afterEach(() => {
    const left = [clock.pending, demand.size, active.size, deps.commits.size, deps.groups.tickerCount];
    expect(left).toEqual([0, 0, 0, 0, 0]);
  });

  /** Reads a stream into `found` until the returned function ends it. */
  function read<T>(stream: AsyncIterableIterator<T>, toFact: (value: T) => unknown): () => Promise<void> {
    const reading = (async () => {
      for await (const value of stream) found.push(toFact(value));
    })();
    return async () => {
      await stream.return?.();
      await reading;
    };
  }

  function addAgent(nativeId: string): void {
    store.commit({ ...emptyDelta('x'), agents: [agentWith(nativeId)] });
  }

  test('of metrics in ON_DEMAND mode send changes when they are requested', async () => {
    const view = createView();
    const end = read(
      streamMetrics(deps, { view, mode: 'ON_DEMAND', rateLimit: new RateLimit() }),
      ({ totalAgents }) => totalAgents,
    );
    await settled();
    expect([found, demand.requiredHz(serverOf('x')), active.all()]).toEqual([[0], 0, [null]]);
    addAgent('a');
    await clock.pass(10_000, 1_000);
    expect(found).toEqual([0]);
    deps.rateClock.triggerOnDemand();
    await settled();
    expect(found).toEqual([0, 1]);
    deps.rateClock.triggerOnDemand();
    await settled();
    expect(found).toEqual([0, 1]);
    await end();
  });

  test('of metrics send changes at the rate of their mode', async () => {
    const view = createView();
    const end = read(
      streamMetrics(deps, { view, mode: 'LOW_FREQUENCY', rateLimit: new RateLimit() }),
      ({ totalAgents }) => totalAgents,
    );
    await settled();
    expect([found, demand.requiredHz(serverOf('x'))]).toEqual([[0], 1]);
    addAgent('a');
    await settled();
    await clock.pass(1);
    addAgent('b');
    await settled();
    await clock.pass(990, 90);
    expect(found).toEqual([0, 1]);
    addAgent('c');
    await clock.pass(100, 50);
    expect(found).toEqual([0, 1, 3]);
    store.commit({ ...emptyDelta('x'), agents: [agentWith('a', { name: 'renamed' })] });
    await clock.pass(5_000, 500);
    expect(found).toEqual([0, 1, 3]);
    await end();
  });

  test('of metrics follow a higher limit while they wait for a slow tick', async () => {
    const rateLimit = new RateLimit(0.01);
    const end = read(
      streamMetrics(deps, { view: createView(), mode: 'HIGH_FREQUENCY', rateLimit }),
      ({ totalAgents }) => totalAgents,
    );
    await settled();
    expect([found, demand.requiredHz(serverOf('x'))]).toEqual([[0], 0.01]);
    addAgent('a');
    await settled();
    await clock.pass(1);
    addAgent('b');
    await clock.pass(1_000, 100);
    expect(found).toEqual([0, 1]);
    rateLimit.maxHz = 30;
    await settled();
    expect([found, demand.requiredHz(serverOf('x'))]).toEqual([[0, 1, 2], 30]);
    addAgent('c');
    await clock.pass(100, 10);
    expect(found).toEqual([0, 1, 2, 3]);
    await end();
  });

  test('of topology send one swarm at a time, at most ten times per second', async () => {
    const end = read(streamTopology(deps, createView(), new RateLimit()), ({ kind, swarmId }) => [kind, swarmId]);
    await settled();
    expect(active.rates().map(({ requestedHz }) => requestedHz)).toEqual([10]);
    store.commit({
      ...emptyDelta('x'),
      agents: [agentWith('a'), agentWith('b')],
      swarms: [swarmWith('s'), swarmWith('t')],
      edges: [edgeWith('a', 'b')],
    });
    await clock.pass(100, 50);
    addAgent('c');
    await clock.pass(500, 50);
    expect(found).toEqual([
      ['DELTA', 'x:s'],
      ['DELTA', 'x:t'],
    ]);
    await end();
  });

  test('of events deliver included ones in order, with the number of missed ones', async () => {
    const common = { serverId: 'x', timestamp: EPOCH_TIME } as const;
    const noticeOf = (code: string): SwarmlensEvent => ({
      ...common,
      type: 'notice',
      code,
      severity: 'INFO',
      message: 'm',
    });
    const change: SwarmlensEvent = {
      ...common,
      type: 'health',
      replicaId: null,
      previousStatus: 'ONLINE',
      status: 'OFFLINE',
      previousCircuitState: 'CLOSED',
      circuitState: 'CLOSED',
      reason: null,
    };
    const commit = async (...events: readonly SwarmlensEvent[]): Promise<void> => {
      store.commit({ ...emptyDelta('x'), events });
      await settled();
    };
    await commit(noticeOf('BEFORE'));
    const ends = [
      read(streamEvents(deps, isNotice), ({ code, missed }) => [code, missed]),
      read(streamEvents(deps, isHealthChange), ({ status, missed }) => [status, missed]),
    ];
    await settled();
    expect(active.all()).toEqual([null, null]);
    await commit(noticeOf('A'), change);
    await commit();
    await commit(noticeOf('B'), noticeOf('C'), noticeOf('D'));
    await commit(change);
    for (const end of ends) await end();
    expect(found.filter((fact) => !String(fact).startsWith('OFFLINE'))).toEqual([
      ['A', 0],
      ['C', 1],
      ['D', 0],
    ]);
    expect(found.filter((fact) => String(fact).startsWith('OFFLINE'))).toEqual([
      ['OFFLINE', 0],
      ['OFFLINE', 1],
    ]);
  });
});
