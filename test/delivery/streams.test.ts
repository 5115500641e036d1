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
  type StreamDeps,
  type StreamUpdate,
  streamChanges,
  streamEvents,
  streamMetrics,
  streamTopology,
} from '../../src/delivery/index.js';
import type { Notice, PerformanceMode } from '../../src/model/index.js';
import { createView, emptyDelta, type ServerSnapshot, Store } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, serverOf } from '../support/arbitraries.js';
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
      wishes: demand.size,
      streams: deps.active.size,
      waiting: deps.commits.size,
      lanes: deps.groups.tickerCount,
    }).toEqual({
      timers: 0,
      wishes: 0,
      streams: 0,
      waiting: 0,
      lanes: 0,
    });
  }
});

/** A history in which every picture differs from the one before. */
function pictures(count: number): ServerSnapshot[] {
  return fc.sample(pictureOf('x'), { numRuns: count * 3, seed: 7 }).filter(({ agents }) => agents.length > 0);
}

function show(store: Store, picture: ServerSnapshot | undefined): void {
  if (picture === undefined) throw new Error('no picture');
  store.commit(store.diff(picture, EPOCH_TIME));
}

function agentUpdates(
  { deps }: Bench,
  mode: PerformanceMode,
  maxHz: number | null = null,
): AsyncIterableIterator<StreamUpdate> {
  return streamChanges(deps, { view: createView(), mode, maxHz, after: null });
}

/** Reads without pause; `values` grows as they come. */
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
  ])('%s: a snapshot at once, then %d updates a second while something changes all the time', async (mode, hz) => {
    const made = bench();
    const history = pictures(40);
    const stream = agentUpdates(made, mode);
    const { values, ended } = collect(stream);
    await settled();
    expect(values.map(({ changes }) => changes.kind)).toEqual(['SNAPSHOT']);
    for (let ms = 0; ms < 2_001; ms += 1) {
      show(made.store, history[ms % history.length]);
      await made.clock.pass(1);
    }
    // The first change is told at once, the others a period apart.
    expect(values).toHaveLength(1 + 1 + hz * 2);
    expect(values.slice(1).every(({ changes }) => changes.kind === 'DELTA')).toBe(true);
    await stream.return?.();
    await ended;
  });

  test('nothing is sent while nothing changes, and no timer runs', async () => {
    const made = bench();
    show(made.store, pictures(1)[0]);
    const stream = agentUpdates(made, 'HIGH_FREQUENCY');
    const { values, ended } = collect(stream);
    await settled();
    for (let poll = 0; poll < 10; poll += 1) {
      show(made.store, pictures(1)[0]);
      await made.clock.pass(100, 10);
    }
    expect(values).toHaveLength(1);
    expect(made.clock.pending).toBe(0);
    await stream.return?.();
    await ended;
  });

  test('ON_DEMAND: nothing moves until somebody asks, then one update tells all of it', async () => {
    const made = bench();
    const [first, second, third] = pictures(3);
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

  test('a reader that was away for many ticks gets one conflated delta and is told its rate', async () => {
    const made = bench();
    const history = pictures(30);
    const stream = agentUpdates(made, 'NORMAL');
    await stream.next();
    for (const picture of history) {
      show(made.store, picture);
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

  test('maxHz caps the rate and the demand', async () => {
    const made = bench();
    const stream = agentUpdates(made, 'HIGH_FREQUENCY', 5);
    const first = await stream.next();
    expect(first).toMatchObject({ value: { rate: { requestedHz: 5, effectiveHz: 5 } } });
    expect(made.demand.requiredHz(serverOf('x'))).toBe(5);
    await stream.return?.();
  });

  test('leaving ends a pending read at once', async () => {
    const made = bench();
    const stream = agentUpdates(made, 'NORMAL');
    await stream.next();
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('1,000 rounds of subscribing and leaving leave no listener, timer or wish behind', async () => {
    const made = bench();
    show(made.store, pictures(1)[0]);
    for (let round = 0; round < 1_000; round += 1) {
      const modes = ['HIGH_FREQUENCY', 'NORMAL', 'LOW_FREQUENCY', 'ON_DEMAND'] as const;
      const streams: AsyncIterableIterator<unknown>[] = [
        ...modes.map((mode) => agentUpdates(made, mode)),
        streamTopology(made.deps, createView(), null),
        streamMetrics(made.deps, { view: createView(), mode: 'NORMAL', maxHz: null }),
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
  test('tells the metrics at once, then only when they are others', async () => {
    const made = bench();
    const [picture] = pictures(1);
    const agent = picture?.agents[0];
    if (picture === undefined || agent === undefined) throw new Error('no picture');
    show(made.store, picture);
    const stream = streamMetrics(made.deps, { view: createView(), mode: 'NORMAL', maxHz: null });
    const { values, ended } = collect(stream);
    await settled();
    show(made.store, { ...picture, agents: [{ ...agent, name: 'another name' }, ...picture.agents.slice(1)] });
    await made.clock.pass(300, 10);
    expect(values).toHaveLength(1);
    show(made.store, { ...picture, agents: picture.agents.slice(1) });
    await made.clock.pass(300, 10);
    expect(values.map(({ totalAgents }) => totalAgents)).toEqual([picture.agents.length, picture.agents.length - 1]);
    await stream.return?.();
    await ended;
  });
});

describe('streamEvents', () => {
  function notice(message: string): Notice {
    return { type: 'notice', code: 'TEST', severity: 'INFO', message, serverId: null, timestamp: EPOCH_TIME };
  }

  test('a reader gets events of its kind from when it came, in order, each once', async () => {
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

  test('a reader that is slower than the ring is long is told how many it missed', async () => {
    const { store, deps } = bench();
    const stream = streamEvents(deps, isNotice);
    for (const message of ['1', '2', '3', '4', '5']) store.commit({ ...emptyDelta('x'), events: [notice(message)] });
    expect(await stream.next()).toMatchObject({ value: { message: '3', missed: 2 } });
    expect(await stream.next()).toMatchObject({ value: { message: '4', missed: 0 } });
    await stream.return?.();
  });
});
