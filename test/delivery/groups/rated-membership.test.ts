import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ActiveStreams,
  type GroupMember,
  RatedMembership,
  RateClock,
  RateLimit,
  type StreamUpdate,
  SubscriptionGroups,
} from '../../../src/delivery/index.js';
import { createView, type CursorPosition, Demand, type ServerSnapshot, Store } from '../../../src/state/index.js';
import { EPOCH_TIME, serverOf, serverSnapshotOf } from '../../support/arbitraries.js';
import { expectedAgents } from '../../support/contract-client.js';
import { runs } from '../../support/fuzz-inputs.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

/** Store with one stream whose rate limit a test changes. Applies the updates as a client does. */
class RatedStream implements GroupMember<StreamUpdate>, Disposable {
  readonly clock = new ManualClock();
  readonly store = new Store({ epoch: 'e', maxTombstones: 100, maxEvents: 3 });
  readonly demand = new Demand();
  readonly rateLimit = new RateLimit();
  readonly updates: StreamUpdate[] = [];
  readonly agents = new Map<string, unknown>();
  readonly after: CursorPosition | null = null;
  readonly membership: RatedMembership<StreamUpdate>;
  /** Renderings that wait. Null to render at once. */
  waiting: (() => void)[] | null = null;
  isReady = true;
  readonly #groups: SubscriptionGroups;

  constructor(mode: 'HIGH_FREQUENCY' | 'ON_DEMAND' = 'HIGH_FREQUENCY') {
    this.#groups = new SubscriptionGroups({
      store: this.store,
      demand: this.demand,
      active: new ActiveStreams(),
      rateClock: new RateClock(this.clock),
      utilization: () => 0,
      onError: (error) => {
        throw error;
      },
    });
    const render = (update: StreamUpdate): StreamUpdate | Promise<StreamUpdate> => {
      const { waiting } = this;
      return waiting === null ? update : new Promise((resolve) => waiting.push(() => resolve(update)));
    };
    this.membership = new RatedMembership<StreamUpdate>(this, { mode, rateLimit: this.rateLimit }, (hz, member) =>
      this.#groups.join(`${hz}`, () => ({ view: createView(), hz, render }), member),
    );
  }

  get groups(): number {
    return this.#groups.size;
  }

  show(snapshot: ServerSnapshot | undefined): void {
    if (snapshot !== undefined) this.store.commit(this.store.diff(snapshot, EPOCH_TIME));
  }

  canReceive(): boolean {
    return this.isReady;
  }

  deliver(update: StreamUpdate): void {
    this.updates.push(update);
    if (update.changes.kind === 'SNAPSHOT') this.agents.clear();
    for (const { agent } of update.changes.agents) this.agents.set(agent.id, agent);
    for (const id of update.changes.removedAgentIds) this.agents.delete(id);
  }

  [Symbol.dispose](): void {
    this.membership[Symbol.dispose]();
    expect([this.#groups.size, this.demand.size, this.clock.pending]).toEqual([0, 0, 0]);
    this.#groups[Symbol.dispose]();
  }
}

function snapshots(count: number): ServerSnapshot[] {
  return fc.sample(serverSnapshotOf('x'), { numRuns: count * 3, seed: 11 }).filter(({ agents }) => agents.length > 0);
}

const requestedRates = ({ updates }: RatedStream): number[] => updates.map(({ rate }) => rate.requestedHz);

describe('RatedMembership', () => {
  test('continues at the new rate without a snapshot when the limit changes', async () => {
    using stream = new RatedStream();
    await settled();
    const history = snapshots(30);
    for (const maxHz of [null, 10, 2, null]) {
      stream.rateLimit.maxHz = maxHz;
      for (const snapshot of history.splice(0, 5)) {
        stream.show(snapshot);
        await stream.clock.pass(100, 1);
      }
    }
    const rates = requestedRates(stream);
    expect(rates.filter((rate) => rate === 10)).toHaveLength(5);
    expect(rates.filter((rate) => rate === 2).length).toBeLessThan(3);
    expect([rates[0], rates.at(-1)]).toEqual([60, 60]);
    expect(stream.updates.map(({ changes }) => changes.kind).lastIndexOf('SNAPSHOT')).toBe(0);
    expect(stream.groups).toBe(1);
    expect(stream.agents).toEqual(expectedAgents(stream.store, createView()));
  });

  test('sends an update whose rendering has started once, when the limit changes meanwhile', async () => {
    using stream = new RatedStream();
    await settled();
    const [first] = snapshots(1);
    const waiting: (() => void)[] = [];
    stream.waiting = waiting;
    stream.show(first);
    await stream.clock.pass(20, 1);
    expect(waiting).toHaveLength(1);
    stream.rateLimit.maxHz = 5;
    stream.waiting = null;
    for (const render of waiting) render();
    await stream.clock.pass(200, 1);
    expect(stream.updates.map(({ changes, rate }) => [changes.kind, rate.requestedHz])).toEqual([
      ['SNAPSHOT', 60],
      ['DELTA', 5],
    ]);
    expect(stream.agents).toEqual(expectedAgents(stream.store, createView()));
  });

  test('requires the new rate of the servers', () => {
    using stream = new RatedStream();
    expect(stream.demand.requiredHz(serverOf('x'))).toBe(60);
    stream.rateLimit.maxHz = 5;
    expect(stream.demand.requiredHz(serverOf('x'))).toBe(5);
    stream.rateLimit.maxHz = null;
    expect(stream.demand.requiredHz(serverOf('x'))).toBe(60);
  });

  test('stays in its group when the limit does not affect its mode', async () => {
    using stream = new RatedStream('ON_DEMAND');
    await settled();
    stream.rateLimit.maxHz = 5;
    stream.show(snapshots(1)[0]);
    await stream.clock.pass(1_000, 100);
    expect(requestedRates(stream)).toEqual([0]);
  });

  test('for any changes of state, limit and readiness: the client ends with the state of the store', async () => {
    const history = snapshots(40);
    const step = fc.oneof(
      fc.record({ show: fc.nat(history.length - 1) }),
      fc.record({ maxHz: fc.constantFrom(null, 0.5, 1, 5, 30, 144) }),
      fc.record({ ready: fc.boolean() }),
      fc.record({ slow: fc.boolean() }),
      fc.record({ passMs: fc.integer({ min: 1, max: 400 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        using stream = new RatedStream();
        const pending: (() => void)[] = [];
        const finish = async (): Promise<void> => {
          for (const render of pending.splice(0)) render();
          await settled();
        };
        const setReady = (isReady: boolean): void => {
          stream.isReady = isReady;
          if (isReady) stream.membership.notifyReady();
        };
        for (const next of steps) {
          if ('show' in next) stream.show(history[next.show]);
          else if ('maxHz' in next) stream.rateLimit.maxHz = next.maxHz;
          else if ('ready' in next) setReady(next.ready);
          else if ('slow' in next) stream.waiting = next.slow ? pending : null;
          else await stream.clock.pass(next.passMs, 50);
          await settled();
        }
        stream.waiting = null;
        setReady(true);
        await finish();
        await stream.clock.pass(2_100, 100);
        await settled();
        expect(stream.agents).toEqual(expectedAgents(stream.store, createView()));
      }),
      runs(100),
    );
  });
});
