import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Demand } from '../../src/state/demand.js';
import {
  ActiveStreams,
  SubscriptionGroups,
  type GroupMember,
  RateClock,
  type GroupMembership,
  type StreamUpdate,
} from '../../src/delivery/index.js';
import { createView, type CursorPosition, type ServerSnapshot, Store, type View } from '../../src/state/index.js';
import { LONG_LIST } from '../../src/delivery/render/compile-selection.js';
import { agentOf, EPOCH_TIME, serverSnapshotOf, serverOf } from '../support/arbitraries.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { expectedAgents } from '../support/contract-client.js';
import { runs } from '../support/fuzz-inputs.js';

class Bench {
  readonly clock = new ManualClock();
  readonly store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  readonly demand = new Demand();
  readonly active = new ActiveStreams();
  readonly rateClock = new RateClock(this.clock);
  readonly errors: unknown[] = [];
  readonly rendered: StreamUpdate[] = [];
  readonly delivered: { readonly readers: number; readonly latencyMs: number | null }[] = [];
  readonly skipped: { readonly cause: string; readonly ticks: number }[] = [];
  utilization = 0;
  readonly groups = new SubscriptionGroups({
    store: this.store,
    demand: this.demand,
    active: this.active,
    rateClock: this.rateClock,
    utilization: () => this.utilization,
    onError: (error) => this.errors.push(error),
    metrics: {
      recordDelivery: (readers, latencyMs) => this.delivered.push({ readers, latencyMs }),
      recordSkippedTicks: (cause, ticks) => this.skipped.push({ cause, ticks }),
    },
  });

  show(snapshot: ServerSnapshot | undefined): void {
    if (snapshot !== undefined) this.store.commit(this.store.diff(snapshot, EPOCH_TIME));
  }

  join(
    member: GroupMember<StreamUpdate>,
    { view = createView(), hz = 10 }: { view?: View; hz?: number } = {},
  ): GroupMembership {
    const render = (update: StreamUpdate): StreamUpdate => {
      this.rendered.push(update);
      return update;
    };
    return this.groups.join(`${view.key} ${hz}`, () => ({ view, hz, render }), member);
  }

  /** Joins as a member that applies its updates to a local state. */
  membership(options: { view?: View; hz?: number } = {}): TestMember {
    const member = new TestMember();
    member.membership = this.join(member, options);
    return member;
  }
}

/** Member that applies its updates to a local state, and accepts updates unless a test sets otherwise. */
class TestMember implements GroupMember<StreamUpdate>, Disposable {
  readonly updates: StreamUpdate[] = [];
  readonly snapshot = new Map<string, unknown>();
  readonly after: CursorPosition | null = null;
  membership: GroupMembership | null = null;
  #room = true;

  canReceive(): boolean {
    return this.#room;
  }

  hold(): void {
    this.#room = false;
  }

  release(): void {
    this.#room = true;
    this.membership?.notifyReady();
  }

  deliver(update: StreamUpdate): void {
    this.updates.push(update);
    if (update.changes.kind === 'SNAPSHOT') this.snapshot.clear();
    for (const { agent } of update.changes.agents) this.snapshot.set(agent.id, agent);
    for (const id of update.changes.removedAgentIds) this.snapshot.delete(id);
  }

  kinds(): string[] {
    return this.updates.map(({ changes }) => changes.kind);
  }

  [Symbol.dispose](): void {
    this.membership?.[Symbol.dispose]();
  }
}

const benches: Bench[] = [];

function newBench(): Bench {
  const bench = new Bench();
  benches.push(bench);
  return bench;
}

afterEach(() => {
  for (const { clock, demand, active, groups, errors } of benches.splice(0)) {
    const left = { timers: clock.pending, demands: demand.size, streams: active.size };
    expect({ ...left, groups: groups.size, tickers: groups.tickerCount, errors }).toEqual({
      timers: 0,
      demands: 0,
      streams: 0,
      groups: 0,
      tickers: 0,
      errors: [],
    });
    groups[Symbol.dispose]();
  }
});

function snapshots(count: number): ServerSnapshot[] {
  return fc.sample(serverSnapshotOf('x'), { numRuns: count * 3, seed: 11 }).filter(({ agents }) => agents.length > 0);
}

/** Snapshot of a server with agents of these names, by native id. */
function withNames(names: Readonly<Record<string, string>>): ServerSnapshot {
  const [agent] = fc.sample(agentOf('x', 'a'), { numRuns: 1, seed: 5 });
  if (agent === undefined) throw new Error('no agent');
  const agents = Object.entries(names).map(([nativeId, name]) => ({ ...agent, id: `x:${nativeId}`, nativeId, name }));
  return { server: serverOf('x'), agents, swarms: [], edges: [], tasks: [] };
}

describe('SubscriptionGroup', () => {
  test('renders once per tick for all members at the same position', async () => {
    const bench = newBench();
    const members = Array.from({ length: 20 }, () => bench.membership());
    await settled();
    expect(bench.rendered).toHaveLength(1);
    for (const snapshot of snapshots(30).slice(0, 30)) {
      bench.show(snapshot);
      await bench.clock.pass(20);
    }
    // The snapshot, the first change immediately, then six updates in 600 ms.
    expect(bench.rendered.length).toBe(1 + 1 + 6);
    for (const member of members) expect(member.updates).toEqual(members[0]?.updates);
    for (const member of members) member[Symbol.dispose]();
  });

  test('records each update for all readers, with the time from its tick until the last delivery', async () => {
    const bench = newBench();
    const members = Array.from({ length: 3 }, () => bench.membership());
    await settled();
    const [member] = members;
    const deliver = member?.deliver.bind(member);
    const slowly = (update: StreamUpdate): void => {
      bench.clock.advance(4);
      deliver?.(update);
    };
    if (member !== undefined) member.deliver = slowly;
    bench.show(snapshots(1)[0]);
    await bench.clock.pass(100, 1);
    expect(bench.delivered).toEqual([
      { readers: 3, latencyMs: null },
      // The test clock advances by 1 ms before the timer of the tick fires.
      { readers: 3, latencyMs: 1 + 4 },
    ]);
    for (const one of members) one[Symbol.dispose]();
  });

  test('sends a new member a snapshot immediately, and shares updates again after one tick', async () => {
    const bench = newBench();
    const [first, second, third] = snapshots(3);
    bench.show(first);
    using early = bench.membership();
    await settled();
    bench.show(second);
    using late = bench.membership();
    await settled();
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(early.kinds()).toEqual(['SNAPSHOT']);
    await bench.clock.pass(100);
    expect(early.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(late.snapshot).toEqual(early.snapshot);
    bench.show(third);
    await bench.clock.pass(100);
    expect(late.updates.at(-1)).toBe(early.updates.at(-1));
  });

  test('skips a busy member and sends it one conflated update later, without affecting the others', async () => {
    const bench = newBench();
    using slow = bench.membership();
    using quick = bench.membership();
    await settled();
    const history = snapshots(20).slice(0, 12);
    slow.hold();
    for (const snapshot of history) {
      bench.show(snapshot);
      await bench.clock.pass(100);
    }
    expect(slow.updates).toHaveLength(1);
    expect(quick.updates).toHaveLength(1 + history.length);
    expect(bench.skipped).toEqual(history.map(() => ({ cause: 'slow_reader', ticks: 1 })));
    slow.release();
    await settled();
    await bench.clock.pass(100);
    expect(slow.updates).toHaveLength(2);
    expect(slow.snapshot).toEqual(expectedAgents(bench.store, createView()));
    expect(slow.updates.at(-1)?.rate).toEqual({ requestedHz: 10, effectiveHz: 2.8 });
    expect(quick.updates.at(-1)?.rate).toEqual({ requestedHz: 10, effectiveHz: 10 });
  });

  test('reports the full rate and shares updates again when a member has caught up', async () => {
    const bench = newBench();
    using slow = bench.membership();
    using quick = bench.membership();
    await settled();
    const history = snapshots(40);
    slow.hold();
    for (const [index, snapshot] of history.entries()) {
      if (index === 5) slow.release();
      bench.show(snapshot);
      await bench.clock.pass(100);
    }
    expect(history.length).toBeGreaterThan(35);
    expect(slow.updates.at(-1)?.rate.effectiveHz).toBe(10);
    expect(slow.updates.at(-1)).toBe(quick.updates.at(-1));
  });

  test('skips ticks of all streams without losing changes while the event loop is overloaded', async () => {
    const bench = newBench();
    using member = bench.membership();
    await settled();
    const history = snapshots(90);
    let round = 0;
    const run = async (ticks: number): Promise<number> => {
      const before = member.updates.length;
      for (let tick = 0; tick < ticks; tick += 1) {
        bench.show(history[(round += 1) % history.length]);
        await bench.clock.pass(100);
      }
      return member.updates.length - before;
    };
    expect(await run(20)).toBe(20);
    bench.utilization = 1;
    await run(11);
    bench.utilization = 0.7;
    expect(await run(40)).toBe(20);
    expect(member.updates.at(-1)?.rate.effectiveHz).toBeLessThan(6);
    bench.utilization = 0.2;
    await run(40);
    expect(await run(20)).toBe(20);
    expect(member.updates.at(-1)?.rate.effectiveHz).toBe(10);
    expect(member.snapshot).toEqual(expectedAgents(bench.store, createView()));
  });

  test('counts ticks that the event loop missed as skipped', async () => {
    const bench = newBench();
    using member = bench.membership();
    await settled();
    for (const snapshot of snapshots(20)) {
      bench.show(snapshot);
      // The timer is due after 100 ms, and fires after 400 ms.
      bench.clock.stall(400);
      await settled();
    }
    expect(member.updates.length).toBeGreaterThan(10);
    expect(member.updates.at(-1)?.rate.effectiveHz).toBeLessThan(4);
  });

  test('sends an ON_DEMAND member a snapshot, then nothing until a request', async () => {
    const bench = newBench();
    using member = bench.membership({ hz: 0 });
    await settled();
    for (const snapshot of snapshots(5)) bench.show(snapshot);
    await bench.clock.pass(5_000, 500);
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    bench.rateClock.triggerOnDemand();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.demand.requiredHz(serverOf('x'))).toBe(0);
  });

  test('sends a busy ON_DEMAND member the requested update when it is ready', async () => {
    const bench = newBench();
    using member = bench.membership({ hz: 0 });
    await settled();
    bench.show(snapshots(1)[0]);
    member.hold();
    bench.rateClock.triggerOnDemand();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    member.release();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
  });

  test('delivers to the other members when one member throws', async () => {
    const bench = newBench();
    const broken: GroupMember<StreamUpdate> = {
      after: null,
      canReceive: () => true,
      deliver: () => {
        throw new Error('broken');
      },
    };
    using _broken = bench.join(broken);
    using well = bench.membership();
    await settled();
    bench.show(snapshots(2)[0]);
    await bench.clock.pass(100);
    expect(well.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.errors.splice(0)).toEqual([new Error('broken'), new Error('broken')]);
  });

  describe.each([
    [
      'synchronously',
      (): StreamUpdate => {
        throw new Error('cannot render');
      },
    ],
    ['asynchronously', (): Promise<StreamUpdate> => Promise.reject(new Error('cannot render'))],
  ])('when rendering fails %s', (_, fail) => {
    test('includes the update that could not be rendered in the next one', async () => {
      const bench = newBench();
      let failing = false;
      const render = (update: StreamUpdate): StreamUpdate | Promise<StreamUpdate> => (failing ? fail() : update);
      const members = [new TestMember(), new TestMember()];
      const memberships = members.map((member) =>
        bench.groups.join('k', () => ({ view: createView(), hz: 10, render }), member),
      );
      bench.show(withNames({ a: 'a0', b: 'b0' }));
      await settled();
      failing = true;
      // Only the update that fails contains the change of `a`.
      bench.show(withNames({ a: 'a1', b: 'b0' }));
      await bench.clock.pass(100);
      for (const member of members) expect(member.kinds()).toEqual(['SNAPSHOT']);
      failing = false;
      bench.show(withNames({ a: 'a1', b: 'b1' }));
      await bench.clock.pass(100);
      for (const member of members) {
        expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
        expect(member.updates[1]?.changes.agents.map(({ agent }) => agent.name).sort()).toEqual(['a1', 'b1']);
        expect(member.snapshot).toEqual(expectedAgents(bench.store, createView()));
      }
      expect(bench.errors.splice(0)).toEqual([new Error('cannot render')]);
      for (const membership of memberships) membership[Symbol.dispose]();
    });
  });

  describe('during asynchronous rendering', () => {
    /** Group whose updates are rendered when a test lets them. */
    class SlowRendering {
      readonly bench = newBench();
      readonly member = new TestMember();
      readonly membership: GroupMembership;
      readonly rendering: (() => void)[] = [];

      constructor() {
        const render = (update: StreamUpdate): Promise<StreamUpdate> =>
          new Promise((resolve) => this.rendering.push(() => resolve(update)));
        this.membership = this.bench.groups.join('k', () => ({ view: createView(), hz: 10, render }), this.member);
        this.bench.show(withNames({ a: 'a0' }));
      }

      async finish(): Promise<void> {
        this.rendering.shift()?.();
        await settled();
      }
    }

    test('late ticks render nothing for the same member, so that updates stay in order', async () => {
      const slow = new SlowRendering();
      const { bench, member, membership, rendering } = slow;
      await settled();
      expect(rendering).toHaveLength(1);
      for (const round of [1, 2, 3]) {
        bench.show(withNames({ a: `a${round}` }));
        await bench.clock.pass(100);
      }
      expect([rendering.length, member.updates.length]).toEqual([1, 0]);
      await slow.finish();
      expect(member.kinds()).toEqual(['SNAPSHOT']);
      // The changes of the meantime follow without another commit.
      await bench.clock.pass(100);
      await slow.finish();
      expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
      expect(member.snapshot).toEqual(expectedAgents(bench.store, createView()));
      expect(rendering).toHaveLength(0);
      membership[Symbol.dispose]();
    });

    test('a member that leaves receives nothing, and a member that joins has its own position', async () => {
      const slow = new SlowRendering();
      await settled();
      slow.membership[Symbol.dispose]();
      await slow.finish();
      expect(slow.member.updates).toEqual([]);
      expect(slow.bench.groups.size).toBe(0);
    });
  });

  describe('with long updates', () => {
    /** Two groups whose updates are rendered when a test lets them. */
    class LongRendering {
      readonly bench = newBench();
      readonly members = [new TestMember(), new TestMember()] as const;
      readonly rendering: { readonly group: number; readonly finish: () => void }[] = [];
      #round = 0;

      constructor(hz = 10) {
        this.change();
        for (const [group, member] of this.members.entries()) member.membership = this.join(group, member, hz);
      }

      join(group: number, member: TestMember, hz = 10): GroupMembership {
        const render = (update: StreamUpdate): Promise<StreamUpdate> =>
          new Promise((resolve) => this.rendering.push({ group, finish: () => resolve(update) }));
        return this.bench.groups.join(`${group}`, () => ({ view: createView(), hz, render }), member);
      }

      change(agents = LONG_LIST): void {
        this.#round += 1;
        const names = Array.from({ length: agents }, (_, index) => [`${index}`, `${index} ${this.#round}`] as const);
        this.bench.show(withNames(Object.fromEntries(names)));
      }

      /** Groups whose updates are being rendered. */
      get groups(): readonly number[] {
        return this.rendering.map(({ group }) => group);
      }

      async finish(): Promise<void> {
        this.rendering.shift()?.finish();
        await settled();
        await settled();
      }

      async finishAll(): Promise<void> {
        while (this.rendering.length > 0) await this.finish();
      }

      [Symbol.dispose](): void {
        for (const member of this.members) member[Symbol.dispose]();
      }
    }

    test('renders them one after another', async () => {
      using long = new LongRendering();
      await settled();
      expect(long.groups).toEqual([0]);
      await long.finish();
      expect(long.groups).toEqual([1]);
      await long.finish();
      expect(long.members.map((member) => member.kinds())).toEqual([['SNAPSHOT'], ['SNAPSHOT']]);
    });

    test('renders short updates at the same time', async () => {
      using long = new LongRendering();
      await long.finish();
      await settled();
      await long.finishAll();
      long.change(1);
      await long.bench.clock.pass(100);
      expect(long.groups).toEqual([0, 1]);
      await long.finishAll();
    });

    test('renders nothing for a member that stops accepting updates while its group waits', async () => {
      using long = new LongRendering();
      const [, second] = long.members;
      await settled();
      second.hold();
      await long.finish();
      expect(long.groups).toEqual([]);
      long.change();
      second.release();
      await settled();
      await long.finishAll();
      expect(second.kinds()).toEqual(['SNAPSHOT']);
      expect(second.snapshot).toEqual(expectedAgents(long.bench.store, createView()));
    });

    test('sends a member that waited all changes of the meantime in one update', async () => {
      using long = new LongRendering();
      const [first, second] = long.members;
      await settled();
      await long.finishAll();
      for (let round = 0; round < 3; round += 1) {
        long.change();
        await long.bench.clock.pass(100);
      }
      expect(long.groups).toEqual([0]);
      await long.finish();
      expect(long.groups).toEqual([1]);
      await long.finish();
      expect(second.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
      expect(second.snapshot).toEqual(expectedAgents(long.bench.store, createView()));
      await long.bench.clock.pass(100);
      await long.finishAll();
      expect(first.snapshot).toEqual(second.snapshot);
    });

    test('keeps the rate of the other members when a new member waits', async () => {
      using long = new LongRendering(1);
      const [first, second] = long.members;
      await settled();
      await long.finishAll();
      await long.bench.clock.pass(1_000);
      long.change();
      await long.bench.clock.pass(10);
      // The first group renders its tick; the second group waits with its tick.
      await long.finishAll();
      long.change();
      using joined = new TestMember();
      joined.membership = long.join(0, joined, 1);
      using other = new TestMember();
      other.membership = long.join(1, other, 1);
      await settled();
      await long.finishAll();
      expect([joined.kinds(), other.kinds()]).toEqual([['SNAPSHOT'], ['SNAPSHOT']]);
      expect([first.kinds(), second.kinds()]).toEqual([
        ['SNAPSHOT', 'DELTA'],
        ['SNAPSHOT', 'DELTA'],
      ]);
    });

    test('serves members whose tick passes while a new member waits', async () => {
      using long = new LongRendering(1);
      const [, second] = long.members;
      await settled();
      await long.finishAll();
      using joined = new TestMember();
      joined.membership = long.join(0, joined, 1);
      using other = new TestMember();
      other.membership = long.join(1, other, 1);
      await settled();
      expect(long.groups).toEqual([0]);
      long.change();
      await long.bench.clock.pass(1_000);
      await long.finishAll();
      expect(second.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    });

    test('continues with the next group when a group that waits is closed', async () => {
      const long = new LongRendering();
      const third = new TestMember();
      third.membership = long.join(2, third);
      await settled();
      long.members[1][Symbol.dispose]();
      await long.finish();
      expect(long.groups).toEqual([2]);
      await long.finishAll();
      expect(third.kinds()).toEqual(['SNAPSHOT']);
      third[Symbol.dispose]();
      long[Symbol.dispose]();
    });
  });

  test('for any history of members that join, leave, stall and recover: every ready member has the current state', async () => {
    const step = fc.oneof(
      serverSnapshotOf('x').map((snapshot) => ({ do: 'show' as const, snapshot })),
      fc.record({ do: fc.constantFrom('join', 'leave', 'hold', 'release'), member: fc.nat(3) }),
      fc.constant({ do: 'tick' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const bench = newBench();
        const members = new Map<number, TestMember>();
        for (const one of steps) {
          if ('snapshot' in one) bench.show(one.snapshot);
          else if (!('member' in one)) await bench.clock.pass(100);
          else if (one.do === 'join' && !members.has(one.member)) {
            members.set(one.member, bench.membership());
            await settled();
          } else if (one.do === 'leave') {
            members.get(one.member)?.[Symbol.dispose]();
            members.delete(one.member);
          } else if (one.do === 'hold') members.get(one.member)?.hold();
          else members.get(one.member)?.release();
        }
        for (const member of members.values()) member.release();
        await settled();
        await bench.clock.pass(300, 100);
        for (const member of members.values()) {
          expect(member.snapshot).toEqual(expectedAgents(bench.store, createView()));
          member[Symbol.dispose]();
        }
      }),
      runs(100),
    );
  });
});
