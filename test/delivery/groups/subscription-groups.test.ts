import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ActiveStreams,
  type GroupMember,
  type GroupMembership,
  RateClock,
  type StreamUpdate,
  SubscriptionGroups,
} from '../../../src/delivery/index.js';
import { createView, type CursorPosition, Demand, emptyDelta, Store } from '../../../src/state/index.js';
import { serverOf } from '../../support/arbitraries.js';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { agentWith } from '../../state/fixed-state.js';

/** Member that keeps the ids of the agents that it receives, while it has room. */
class Member implements GroupMember<StreamUpdate> {
  readonly after: CursorPosition | null = null;
  readonly received: string[][] = [];
  hasRoom = true;

  canReceive(): boolean {
    return this.hasRoom;
  }

  deliver({ changes }: StreamUpdate): void {
    this.received.push(changes.agents.map(({ agent }) => agent.nativeId));
  }
}

describe('SubscriptionGroups', () => {
  let clock: ManualClock;
  let store: Store;
  let errors: unknown[];
  let ended: number[];
  let rendered: number;
  let failures: number;
  let groups: SubscriptionGroups;
  const memberships: GroupMembership[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    store = new Store({ epoch: 'e', maxTombstones: 10, maxEvents: 1 });
    errors = [];
    ended = [];
    rendered = 0;
    failures = 0;
    groups = new SubscriptionGroups({
      store,
      demand: new Demand(),
      active: new ActiveStreams(),
      rateClock: new RateClock(clock),
      utilization: () => 0,
      onError: (error) => errors.push(error),
      tracer: { position: 1, startDelivery: () => ({ end: (readers) => void ended.push(readers) }) },
    });
  });

  afterEach(() => {
    for (const membership of memberships.splice(0)) membership[Symbol.dispose]();
    expect([groups.size, groups.tickerCount, clock.pending]).toEqual([0, 0, 0]);
    groups[Symbol.dispose]();
  });

  function join(member: Member, hz = 10): GroupMembership {
    const render = (update: StreamUpdate): StreamUpdate => {
      if (failures > 0) {
        failures -= 1;
        throw new Error('not rendered');
      }
      rendered += 1;
      return update;
    };
    const membership = groups.join(`key ${hz}`, () => ({ view: createView(), hz, render }), member);
    memberships.push(membership);
    return membership;
  }

  function addAgent(nativeId: string): void {
    store.commit({ ...emptyDelta('x'), server: serverOf('x'), agents: [agentWith(nativeId)] });
  }

  test('wait for no tick when a member that has everything is ready', async () => {
    const membership = join(new Member());
    await settled();
    membership.notifyReady();
    expect(clock.pending).toBe(0);
  });

  test('repeat a first update that could not be rendered, also before the first commit', async () => {
    failures = 1;
    const member = new Member();
    const membership = join(member);
    await settled();
    expect([member.received, errors]).toEqual([[], [new Error('not rendered')]]);
    membership.notifyReady();
    await clock.pass(100, 50);
    expect(member.received).toEqual([[]]);
  });

  test('end the trace of an update that could not be rendered without readers', async () => {
    join(new Member());
    await settled();
    failures = 1;
    addAgent('a');
    await clock.pass(100, 50);
    addAgent('b');
    await clock.pass(100, 50);
    expect([ended, errors.length]).toEqual([[0, 1], 1]);
  });

  test('render once for all members at each position, however they are mixed', async () => {
    const members = Array.from({ length: 5 }, () => new Member());
    const joined = members.map((member) => join(member));
    await settled();
    const [behind, second, , fourth] = members;
    for (const member of [behind, second, fourth]) if (member !== undefined) member.hasRoom = false;
    addAgent('a');
    await clock.pass(100, 50);
    expect(rendered).toBe(2);
    for (const member of members) member.hasRoom = true;
    addAgent('b');
    await clock.pass(100, 50);
    expect(rendered).toBe(4);
    const late = [[], ['a', 'b']];
    const onTime = [[], ['a'], ['b']];
    expect(members.map(({ received }) => received)).toEqual([late, late, onTime, late, onTime]);
    expect(joined).toHaveLength(5);
  });

  test('render the first updates of members that join in one turn together', async () => {
    const members = [new Member(), new Member(), new Member()];
    for (const member of members) join(member);
    await settled();
    expect([rendered, ...members.map(({ received }) => received.length)]).toEqual([1, 1, 1, 1]);
    await settled();
    join(new Member());
    await settled();
    expect(rendered).toBe(2);
  });

  test('keep one ticker per rate while a group uses it', () => {
    const [first, second, third] = [join(new Member(), 10), join(new Member(), 10), join(new Member(), 1)];
    expect([groups.size, groups.tickerCount]).toEqual([2, 2]);
    first[Symbol.dispose]();
    third[Symbol.dispose]();
    expect([groups.size, groups.tickerCount]).toEqual([1, 1]);
    second[Symbol.dispose]();
    expect([groups.size, groups.tickerCount]).toEqual([0, 0]);
  });

  test('wait for no tick after they are disposed', () => {
    join(new Member());
    addAgent('a');
    expect(clock.pending).toBe(1);
    groups[Symbol.dispose]();
    expect(clock.pending).toBe(0);
    addAgent('b');
    expect(clock.pending).toBe(0);
  });
});
