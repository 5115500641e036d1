import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Demand } from '../../src/collector/demand.js';
import { ActiveStreams, Groups, type Member, RateClock, type StreamedChanges } from '../../src/delivery/index.js';
import { createView, type Position, type ServerPicture, Store, type View } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, serverOf } from '../support/arbitraries.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { expectedAgents } from '../support/reader.js';

class Bench {
  readonly clock = new ManualClock();
  readonly store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  readonly demand = new Demand();
  readonly active = new ActiveStreams();
  readonly errors: unknown[] = [];
  readonly rendered: StreamedChanges[] = [];
  readonly groups: Groups;

  constructor() {
    const { store, demand, active } = this;
    const deps = { store, demand, active, rateClock: new RateClock(this.clock) };
    this.groups = new Groups(deps, (error) => this.errors.push(error));
    this.rateClock = deps.rateClock;
  }

  readonly rateClock: RateClock;

  show(picture: ServerPicture | undefined): void {
    if (picture !== undefined) this.store.commit(this.store.diff(picture, EPOCH_TIME));
  }

  join(member: Member, { view = createView(), hz = 10 }: { view?: View; hz?: number } = {}): Disposable {
    const render = (update: StreamedChanges): string => {
      this.rendered.push(update);
      return `${this.rendered.length - 1}`;
    };
    return this.groups.join(`${view.key} ${hz}`, () => ({ view, hz, render }), member);
  }
}

/** A member that keeps a picture, and takes as long as a test wants over each update. */
class TestMember implements Member {
  readonly bodies: string[] = [];
  readonly picture = new Map<string, unknown>();
  readonly after: Position | null = null;
  readonly #bench: Bench;
  #held: (() => void) | null = null;
  hold = false;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  deliver(body: string): Promise<void> {
    this.bodies.push(body);
    const update = this.#bench.rendered[Number(body)];
    if (update?.changes.kind === 'SNAPSHOT') this.picture.clear();
    for (const { agent } of update?.changes.agents ?? []) this.picture.set(agent.id, agent);
    for (const id of update?.changes.removedAgentIds ?? []) this.picture.delete(id);
    if (!this.hold) return Promise.resolve();
    return new Promise((resolve) => (this.#held = resolve));
  }

  release(): void {
    this.hold = false;
    this.#held?.();
    this.#held = null;
  }

  kinds(): string[] {
    return this.bodies.map((body) => this.#bench.rendered[Number(body)]?.changes.kind ?? 'none');
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
    expect({ timers: clock.pending, wishes: demand.size, streams: active.size, groups: groups.size, errors }).toEqual({
      timers: 0,
      wishes: 0,
      streams: 0,
      groups: 0,
      errors: [],
    });
  }
});

function pictures(count: number): ServerPicture[] {
  return fc.sample(pictureOf('x'), { numRuns: count * 3, seed: 11 }).filter(({ agents }) => agents.length > 0);
}

describe('a group of equal subscriptions', () => {
  test('renders once for all who stand at the same place, at each tick at most', async () => {
    const bench = newBench();
    const members = Array.from({ length: 20 }, () => new TestMember(bench));
    const seats = members.map((member) => bench.join(member));
    await settled();
    expect(bench.rendered).toHaveLength(1);
    for (const picture of pictures(30).slice(0, 30)) {
      bench.show(picture);
      await bench.clock.pass(20);
    }
    expect(bench.rendered.length).toBe(1 + 6);
    for (const member of members) expect(member.bodies).toEqual(members[0]?.bodies);
    for (const seat of seats) seat[Symbol.dispose]();
  });

  test('a newcomer gets a snapshot at once, the others go on with deltas', async () => {
    const bench = newBench();
    const [early, late] = [new TestMember(bench), new TestMember(bench)];
    const [first, second] = pictures(3);
    bench.show(first);
    using _early = bench.join(early);
    await settled();
    bench.show(second);
    using _late = bench.join(late);
    await settled();
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(early.kinds()).toEqual(['SNAPSHOT']);
    await bench.clock.pass(100);
    expect(early.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(late.kinds()).toEqual(['SNAPSHOT']);
    expect(late.picture).toEqual(early.picture);
  });

  test('a member without room is passed over and gets one conflated update later; the others do not notice', async () => {
    const bench = newBench();
    const [slow, quick] = [new TestMember(bench), new TestMember(bench)];
    using _slow = bench.join(slow);
    using _quick = bench.join(quick);
    await settled();
    const history = pictures(20).slice(0, 12);
    slow.hold = true;
    for (const picture of history) {
      bench.show(picture);
      await bench.clock.pass(100);
    }
    expect(slow.bodies).toHaveLength(2);
    expect(quick.bodies).toHaveLength(1 + history.length);
    slow.release();
    await settled();
    await bench.clock.pass(100);
    expect(slow.bodies).toHaveLength(3);
    expect(slow.picture).toEqual(expectedAgents(bench.store, createView()));
    const late = bench.rendered[Number(slow.bodies.at(-1))];
    expect(late?.rate.effectiveHz).toBeLessThan(late?.rate.requestedHz ?? 0);
    const onTime = bench.rendered[Number(quick.bodies.at(-1))];
    expect(onTime?.rate).toEqual({ requestedHz: 10, effectiveHz: 10 });
  });

  test('ON_DEMAND: a snapshot, then nothing until somebody asks', async () => {
    const bench = newBench();
    const member = new TestMember(bench);
    using _seat = bench.join(member, { hz: 0 });
    await settled();
    for (const picture of pictures(5)) bench.show(picture);
    await bench.clock.pass(5_000, 500);
    expect(member.kinds()).toEqual(['SNAPSHOT']);
    bench.rateClock.demand();
    await settled();
    expect(member.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.demand.hzFor(serverOf('x'))).toBe(0);
  });

  test('one that throws while it renders or delivers does not end the others', async () => {
    const bench = newBench();
    const well = new TestMember(bench);
    const broken: Member = { after: null, deliver: () => Promise.reject(new Error('broken')) };
    using _broken = bench.join(broken);
    using _well = bench.join(well);
    await settled();
    bench.show(pictures(2)[0]);
    await bench.clock.pass(100);
    expect(well.kinds()).toEqual(['SNAPSHOT', 'DELTA']);
    expect(bench.errors.splice(0).length).toBeGreaterThan(0);
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
        const seats = new Map<number, { member: TestMember; seat: Disposable }>();
        for (const one of steps) {
          if ('picture' in one) bench.show(one.picture);
          else if (!('who' in one)) await bench.clock.pass(100);
          else if (one.do === 'join' && !seats.has(one.who)) {
            const member = new TestMember(bench);
            seats.set(one.who, { member, seat: bench.join(member) });
            await settled();
          } else if (one.do === 'leave') {
            seats.get(one.who)?.seat[Symbol.dispose]();
            seats.delete(one.who);
          } else if (one.do === 'hold') {
            const seated = seats.get(one.who);
            if (seated !== undefined) seated.member.hold = true;
          } else seats.get(one.who)?.member.release();
        }
        for (const { member } of seats.values()) member.release();
        await settled();
        await bench.clock.pass(300, 100);
        for (const { member } of seats.values()) {
          expect(member.picture).toEqual(expectedAgents(bench.store, createView()));
        }
        for (const { seat } of seats.values()) seat[Symbol.dispose]();
      }),
      { numRuns: 100 },
    );
  });
});
