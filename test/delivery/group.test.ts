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
import { EPOCH_TIME, pictureOf, serverOf } from '../support/arbitraries.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { expectedAgents } from '../support/contract-client.js';

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

  show(picture: ServerSnapshot | undefined): void {
    if (picture !== undefined) this.store.commit(this.store.diff(picture, EPOCH_TIME));
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

  /** Joins as a member that keeps a picture. */
  seat(options: { view?: View; hz?: number } = {}): TestMember {
    const member = new TestMember();
    member.seat = this.join(member, options);
    return member;
  }
}

/** A member that keeps a picture, and has room unless a test says otherwise. */
class TestMember implements GroupMember<StreamUpdate>, Disposable {
  readonly updates: StreamUpdate[] = [];
  readonly picture = new Map<string, unknown>();
  readonly after: CursorPosition | null = null;
  seat: GroupMembership | null = null;
  #room = true;

  canReceive(): boolean {
    return this.#room;
  }

  hold(): void {
    this.#room = false;
  }

  release(): void {
    this.#room = true;
    this.seat?.notifyReady();
  }

  deliver(update: StreamUpdate): void {
    this.updates.push(update);
    if (update.changes.kind === 'SNAPSHOT') this.picture.clear();
    for (const { agent } of update.changes.agents) this.picture.set(agent.id, agent);
    for (const id of update.changes.removedAgentIds) this.picture.delete(id);
  }

  kinds(): string[] {
    return this.updates.map(({ changes }) => changes.kind);
  }

  [Symbol.dispose](): void {
    this.seat?.[Symbol.dispose]();
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
    const left = { timers: clock.pending, wishes: demand.size, streams: active.size };
    expect({ ...left, groups: groups.size, lanes: groups.tickerCount, errors }).toEqual({
      timers: 0,
      wishes: 0,
      streams: 0,
      groups: 0,
      lanes: 0,
      errors: [],
    });
    groups[Symbol.dispose]();
  }
});

function pictures(count: number): ServerSnapshot[] {
  return fc.sample(pictureOf('x'), { numRuns: count * 3, seed: 11 }).filter(({ agents }) => agents.length > 0);
}

describe('a group of equal subscriptions', () => {
  test('renders once for all who stand at the same place, at each tick at most', async () => {
    const bench = newBench();
    const members = Array.from({ length: 20 }, () => bench.seat());
    await settled();
    expect(bench.rendered).toHaveLength(1);
    for (const picture of pictures(30).slice(0, 30)) {
      bench.show(picture);
      await bench.clock.pass(20);
    }
    // The snapshot, the first change at once, then six times in 600 ms.
    expect(bench.rendered.length).toBe(1 + 1 + 6);
    for (const member of members) expect(member.updates).toEqual(members[0]?.updates);
    for (const member of members) member[Symbol.dispose]();
  });

  test('each update is counted for all its readers, and timed from its tick until the last of them has it', async () => {
    const bench = newBench();
    const members = Array.from({ length: 3 }, () => bench.seat());
    await settled();
    const [member] = members;
    const deliver = member?.deliver.bind(member);
    const slowly = (update: StreamUpdate): void => {
      bench.clock.advance(4);
      deliver?.(update);
    };
    if (member !== undefined) member.deliver = slowly;
    bench.show(pictures(1)[0]);
    await bench.clock.pass(100, 1);
    expect(bench.delivered).toEqual([
      { readers: 3, latencyMs: null },
      // The clock of the test goes by a millisecond before the timer of the tick is looked at.
      { readers: 3, latencyMs: 1 + 4 },
    ]);
    for (const one of members) one[Symbol.dispose]();
  });

  test('a newcomer gets a snapshot at once, the others go on with deltas, and after one tick they share again', async () => {
    const bench = newBench();
    const [first, second, third] = pictures(3);
    bench.show(first);
    using early = bench.seat();
    await settled();
    bench.show(second);
    using late = bench.seat();
    await settled();
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(early.kinds()).toEqual(['SNAPSHOT']);
    await bench.clock.pass(100);
    expect(early.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(late.picture).toEqual(early.picture);
    bench.show(third);
    await bench.clock.pass(100);
    expect(late.updates.at(-1)).toBe(early.updates.at(-1));
  });

  test('a member without room is passed over and gets one conflated update later; the others do not notice', async () => {
    const bench = newBench();
    using slow = bench.seat();
    using quick = bench.seat();
    await settled();
    const history = pictures(20).slice(0, 12);
    slow.hold();
    for (const picture of history) {
      bench.show(picture);
      await bench.clock.pass(100);
    }
    expect(slow.updates).toHaveLength(1);
    expect(quick.updates).toHaveLength(1 + history.length);
    expect(bench.skipped).toEqual(history.map(() => ({ cause: 'slow_reader', ticks: 1 })));
    slow.release();
    await settled();
    await bench.clock.pass(100);
    expect(slow.updates).toHaveLength(2);
    expect(slow.picture).toEqual(expectedAgents(bench.store, createView()));
    expect(slow.updates.at(-1)?.rate).toEqual({ requestedHz: 10, effectiveHz: 2.8 });
    expect(quick.updates.at(-1)?.rate).toEqual({ requestedHz: 10, effectiveHz: 10 });
  });

  test('a member that keeps up again is told its full rate again, and shares its updates again', async () => {
    const bench = newBench();
    using slow = bench.seat();
    using quick = bench.seat();
    await settled();
    const history = pictures(40);
    slow.hold();
    for (const [index, picture] of history.entries()) {
      if (index === 5) slow.release();
      bench.show(picture);
      await bench.clock.pass(100);
    }
    expect(history.length).toBeGreaterThan(35);
    expect(slow.updates.at(-1)?.rate.effectiveHz).toBe(10);
    expect(slow.updates.at(-1)).toBe(quick.updates.at(-1));
  });

  test('while the event loop is too busy all streams skip ticks, lose nothing, say so, and speed up again', async () => {
    const bench = newBench();
    using member = bench.seat();
    await settled();
    const history = pictures(90);
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
    expect(member.picture).toEqual(expectedAgents(bench.store, createView()));
  });

  test('ticks that the event loop was late for count as skipped', async () => {
    const bench = newBench();
    using member = bench.seat();
    await settled();
    for (const picture of pictures(20)) {
      bench.show(picture);
      // The timer is due after 100 ms, and comes after 400.
      bench.clock.stall(400);
      await settled();
    }
    expect(member.updates.length).toBeGreaterThan(10);
    expect(member.updates.at(-1)?.rate.effectiveHz).toBeLessThan(4);
  });

  test('ON_DEMAND: a snapshot, then nothing until somebody asks', async () => {
    const bench = newBench();
    using member = bench.seat({ hz: 0 });
    await settled();
    for (const picture of pictures(5)) bench.show(picture);
    await bench.clock.pass(5_000, 500);
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    bench.rateClock.triggerOnDemand();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.demand.requiredHz(serverOf('x'))).toBe(0);
  });

  test('ON_DEMAND: a member that had no room when somebody asked gets the update when it has', async () => {
    const bench = newBench();
    using member = bench.seat({ hz: 0 });
    await settled();
    bench.show(pictures(1)[0]);
    member.hold();
    bench.rateClock.triggerOnDemand();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    member.release();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
  });

  test('one that throws while an update is handed to it does not end the others', async () => {
    const bench = newBench();
    const broken: GroupMember<StreamUpdate> = {
      after: null,
      canReceive: () => true,
      deliver: () => {
        throw new Error('broken');
      },
    };
    using _broken = bench.join(broken);
    using well = bench.seat();
    await settled();
    bench.show(pictures(2)[0]);
    await bench.clock.pass(100);
    expect(well.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.errors.splice(0)).toEqual([new Error('broken'), new Error('broken')]);
  });

  test('an update that could not be rendered is told with the next change', async () => {
    const bench = newBench();
    const member = new TestMember();
    let failing = false;
    const render = (update: StreamUpdate): Promise<StreamUpdate> =>
      failing ? Promise.reject(new Error('cannot render')) : Promise.resolve(update);
    using _seat = bench.groups.join('k', () => ({ view: createView(), hz: 10, render }), member);
    await settled();
    const [first, second] = pictures(2);
    failing = true;
    bench.show(first);
    await bench.clock.pass(100);
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    failing = false;
    bench.show(second);
    await bench.clock.pass(100);
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(member.picture).toEqual(expectedAgents(bench.store, createView()));
    expect(bench.errors.splice(0)).toEqual([new Error('cannot render')]);
  });

  test('any history of members that come, go, stall and recover: whoever has room has the right picture', async () => {
    const step = fc.oneof(
      pictureOf('x').map((picture) => ({ do: 'show' as const, picture })),
      fc.record({ do: fc.constantFrom('join', 'leave', 'hold', 'release'), who: fc.nat(3) }),
      fc.constant({ do: 'tick' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const bench = newBench();
        const members = new Map<number, TestMember>();
        for (const one of steps) {
          if ('picture' in one) bench.show(one.picture);
          else if (!('who' in one)) await bench.clock.pass(100);
          else if (one.do === 'join' && !members.has(one.who)) {
            members.set(one.who, bench.seat());
            await settled();
          } else if (one.do === 'leave') {
            members.get(one.who)?.[Symbol.dispose]();
            members.delete(one.who);
          } else if (one.do === 'hold') members.get(one.who)?.hold();
          else members.get(one.who)?.release();
        }
        for (const member of members.values()) member.release();
        await settled();
        await bench.clock.pass(300, 100);
        for (const member of members.values()) {
          expect(member.picture).toEqual(expectedAgents(bench.store, createView()));
          member[Symbol.dispose]();
        }
      }),
      { numRuns: 100 },
    );
  });
});
