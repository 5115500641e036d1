import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Demand } from '../../src/state/demand.js';
import {
  ActiveStreams,
  CommitWaiter,
  SubscriptionGroups,
  isHealthChange,
  isNotice,
  RateClock,
  RateLimit,
  type StreamDeps,
  type StreamUpdate,
  streamChanges,
  streamEvents,
  streamMessages,
  streamMetrics,
  streamTopology,
} from '../../src/delivery/index.js';
import type { Notice, PerformanceMode } from '../../src/model/index.js';
import { createView, emptyDelta, type ServerSnapshot, Store } from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, serverOf } from '../support/arbitraries.js';
import { messageWith } from '../state/fixed-state.js';
import { ManualClock, settled } from '../support/manual-clock.js';

interface Bench {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly demand: Demand;
  readonly deps: StreamDeps & { readonly active: ActiveStreams };
}

const benches: Bench[] = [];

function bench(): Bench {
  const clock = new ManualClock();
  const store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  const demand = new Demand();
  const rateClock = new RateClock(clock);
  const active = new ActiveStreams();
  const onError = (error: unknown): never => {
    throw error;
  };
  const groups = new SubscriptionGroups({ store, demand, rateClock, active, utilization: () => 0, onError });
  const deps = { store, demand, commits: new CommitWaiter(store), rateClock, active, groups };
  const made = { clock, store, demand, deps };
  benches.push(made);
  return made;
}

afterEach(() => {
  for (const { clock, demand, deps } of benches.splice(0)) {
    expect({
      timers: clock.pending,
      demands: demand.size,
      streams: deps.active.size,
      waiting: deps.commits.size,
      tickers: deps.groups.tickerCount,
    }).toEqual({
      timers: 0,
      demands: 0,
      streams: 0,
      waiting: 0,
      tickers: 0,
    });
  }
});

/** History in which every snapshot differs from the previous one. */
function snapshots(count: number): ServerSnapshot[] {
  return fc.sample(serverSnapshotOf('x'), { numRuns: count * 3, seed: 7 }).filter(({ agents }) => agents.length > 0);
}

function show(store: Store, snapshot: ServerSnapshot | undefined): void {
  if (snapshot === undefined) throw new Error('no snapshot');
  store.commit(store.diff(snapshot, EPOCH_TIME));
}

function agentUpdates(
  { deps }: Bench,
  mode: PerformanceMode,
  rateLimit = new RateLimit(),
): AsyncIterableIterator<StreamUpdate> {
  return streamChanges(deps, { view: createView(), mode, rateLimit, after: null });
}

/** Reads continuously into `values`. */
function collect<T>(stream: AsyncIterableIterator<T>): { values: T[]; ended: Promise<void> } {
  const values: T[] = [];
  const ended = (async () => {
    for await (const value of stream) values.push(value);
  })();
  return { values, ended };
}

describe('streamChanges', () => {
  test.each<[PerformanceMode, number]>([
    ['HIGH_FREQUENCY', 60],
    ['NORMAL', 10],
    ['LOW_FREQUENCY', 1],
  ])('%s: sends a snapshot immediately, then %d updates per second during continuous change', async (mode, hz) => {
    const made = bench();
    const history = snapshots(40);
    const stream = agentUpdates(made, mode);
    const { values, ended } = collect(stream);
    await settled();
    expect(values.map(({ changes }) => changes.kind)).toEqual(['SNAPSHOT']);
    for (let ms = 0; ms < 2_001; ms += 1) {
      show(made.store, history[ms % history.length]);
      await made.clock.pass(1);
    }
    // The first change is sent immediately, the others one period apart.
    expect(values).toHaveLength(1 + 1 + hz * 2);
    expect(values.slice(1).every(({ changes }) => changes.kind === 'DELTA')).toBe(true);
    await stream.return?.();
    await ended;
  });

  test('sends nothing and runs no timer while nothing changes', async () => {
    const made = bench();
    show(made.store, snapshots(1)[0]);
    const stream = agentUpdates(made, 'HIGH_FREQUENCY');
    const { values, ended } = collect(stream);
    await settled();
    for (let poll = 0; poll < 10; poll += 1) {
      show(made.store, snapshots(1)[0]);
      await made.clock.pass(100, 10);
    }
    expect(values).toHaveLength(1);
    expect(made.clock.pending).toBe(0);
    await stream.return?.();
    await ended;
  });

  test('sends all changes in one update on request in ON_DEMAND mode', async () => {
    const made = bench();
    const [first, second, third] = snapshots(3);
    show(made.store, first);
    const stream = agentUpdates(made, 'ON_DEMAND');
    const { values, ended } = collect(stream);
    await settled();
    show(made.store, second);
    show(made.store, third);
    await made.clock.pass(5_000, 100);
    expect(values).toHaveLength(1);
    made.deps.rateClock.triggerOnDemand();
    await settled();
    expect(values.map(({ changes }) => changes.kind)).toEqual(['SNAPSHOT', 'DELTA']);
    expect(made.demand.requiredHz(serverOf('x'))).toBe(0);
    await stream.return?.();
    await ended;
  });

  test('sends a reader that skipped many ticks one conflated delta with its rate', async () => {
    const made = bench();
    const history = snapshots(30);
    const stream = agentUpdates(made, 'NORMAL');
    await stream.next();
    for (const snapshot of history) {
      show(made.store, snapshot);
      await made.clock.pass(100);
    }
    const pending = stream.next();
    await settled();
    await made.clock.pass(100);
    const late = await pending;
    if (late.done === true) throw new Error('the stream ended');
    expect(late.value.changes.position.revision).toBe(made.store.revision);
    expect(late.value.rate.requestedHz).toBe(10);
    expect(late.value.rate.effectiveHz).toBeLessThan(5);
    await stream.return?.();
  });

  test('limits rate and demand to maxHz', async () => {
    const made = bench();
    const stream = agentUpdates(made, 'HIGH_FREQUENCY', new RateLimit(5));
    const first = await stream.next();
    expect(first).toMatchObject({ value: { rate: { requestedHz: 5, effectiveHz: 5 } } });
    expect(made.demand.requiredHz(serverOf('x'))).toBe(5);
    await stream.return?.();
  });

  test('ends a pending read immediately when the reader leaves', async () => {
    const made = bench();
    const stream = agentUpdates(made, 'NORMAL');
    await stream.next();
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('leaves no listener, timer or demand behind after 1,000 subscriptions', async () => {
    const made = bench();
    show(made.store, snapshots(1)[0]);
    for (let round = 0; round < 1_000; round += 1) {
      const modes = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'] as const;
      const streams: AsyncIterableIterator<unknown>[] = [
        ...modes.map((mode) => agentUpdates(made, mode)),
        streamTopology(made.deps, createView(), new RateLimit()),
        streamMetrics(made.deps, { view: createView(), mode: 'NORMAL', rateLimit: new RateLimit() }),
        streamEvents(made.deps, isNotice),
      ];
      const reads = streams.map((stream) => stream.next().then(() => stream.next()));
      if (round % 100 === 0) await settled();
      for (const stream of streams) await stream.return?.();
      await Promise.all(reads);
    }
  });
});

describe('streamMetrics', () => {
  test('sends the metrics immediately, then only when they change', async () => {
    const made = bench();
    const [snapshot] = snapshots(1);
    const agent = snapshot?.agents[0];
    if (snapshot === undefined || agent === undefined) throw new Error('no snapshot');
    show(made.store, snapshot);
    const stream = streamMetrics(made.deps, { view: createView(), mode: 'NORMAL', rateLimit: new RateLimit() });
    const { values, ended } = collect(stream);
    await settled();
    show(made.store, { ...snapshot, agents: [{ ...agent, name: 'another name' }, ...snapshot.agents.slice(1)] });
    await made.clock.pass(300, 10);
    expect(values).toHaveLength(1);
    show(made.store, { ...snapshot, agents: snapshot.agents.slice(1) });
    await made.clock.pass(300, 10);
    expect(values.map(({ totalAgents }) => totalAgents)).toEqual([snapshot.agents.length, snapshot.agents.length - 1]);
    await stream.return?.();
    await ended;
  });
});

describe('streamEvents', () => {
  function notice(message: string): Notice {
    return { type: 'notice', code: 'TEST', severity: 'INFO', message, serverId: null, timestamp: EPOCH_TIME };
  }

  test('sends later events of the requested kind once and in order', async () => {
    const { store, deps } = bench();
    store.commit({ ...emptyDelta('x'), events: [notice('before')] });
    const notices = streamEvents(deps, isNotice);
    const health = streamEvents(deps, isHealthChange);
    const seen = collect(notices);
    const unseen = collect(health);
    store.commit({ ...emptyDelta('x'), events: [notice('1'), notice('2')] });
    await settled();
    store.commit({ ...emptyDelta('x'), events: [notice('3')] });
    await settled();
    expect(seen.values.map(({ message, missed }) => [message, missed])).toEqual([
      ['1', 0],
      ['2', 0],
      ['3', 0],
    ]);
    expect(unseen.values).toEqual([]);
    await Promise.all([notices.return?.(), health.return?.()]);
    await Promise.all([seen.ended, unseen.ended]);
  });

  test('reports the number of missed events to a reader that is too slow for the ring', async () => {
    const { store, deps } = bench();
    const stream = streamEvents(deps, isNotice);
    for (const message of ['1', '2', '3', '4', '5']) store.commit({ ...emptyDelta('x'), events: [notice(message)] });
    expect(await stream.next()).toMatchObject({ value: { message: '3', missed: 2 } });
    expect(await stream.next()).toMatchObject({ value: { message: '4', missed: 0 } });
    await stream.return?.();
  });
});

describe('streamMessages', () => {
  const message = messageWith('m');
  const notice: Notice = {
    type: 'notice',
    code: 'TEST',
    severity: 'INFO',
    message: 'n',
    serverId: null,
    timestamp: EPOCH_TIME,
  };

  test('sends later messages of the view once and in order, and no other events', async () => {
    const { store, deps } = bench();
    store.commit({ ...emptyDelta('x'), events: [message] });
    const view = createView({ serverTypes: ['RUV_SWARM'], swarmIds: ['x:s'] });
    const stream = streamMessages(deps, view, new RateLimit());
    const seen = collect(stream);
    const hidden = [messageWith('h1', { serverType: 'DAA' }), messageWith('h2', { swarmId: null })];
    for (const events of [[notice, messageWith('1')], hidden, [messageWith('2')]]) {
      store.commit({ ...emptyDelta('x'), events });
      await settled();
    }
    expect(seen.values).toEqual([
      { ...messageWith('1'), missed: 0 },
      { ...messageWith('2'), missed: 0 },
    ]);
    await stream.return?.();
    await seen.ended;
  });

  test('counts the messages that a slow reader missed, however many other events there were', async () => {
    const { store, deps } = bench();
    const stream = streamMessages(deps, createView(), new RateLimit());
    const notices = streamEvents(deps, isNotice);
    const events = ['1', '2', '3', '4', '5'].map((id) => messageWith(id));
    store.commit({ ...emptyDelta('x'), events: [notice, ...events] });
    expect(await stream.next()).toMatchObject({ value: { id: 'x:3', missed: 2 } });
    // Messages do not displace notices.
    expect(await notices.next()).toMatchObject({ value: { message: 'n', missed: 0 } });
    await stream.return?.();
    await notices.return?.();
  });

  test('demands one poll per second while it is open', async () => {
    const { deps } = bench();
    const demand = new Demand();
    const stream = streamMessages({ ...deps, demand }, createView({ serverTypes: ['DAA'] }), new RateLimit());
    expect(demand.requiredHz({ id: 'x', agentServerTypes: ['DAA'] })).toBe(1);
    expect(demand.requiredHz({ id: 'x', agentServerTypes: ['RUV_SWARM'] })).toBe(0);
    await stream.return?.();
    expect(demand.size).toBe(0);
  });
});
