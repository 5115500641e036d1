import type { CursorPosition, Demand, Store, View } from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import {
  type FirstUpdateTarget,
  SubscriptionGroup,
  type GroupRequest,
  type GroupMember,
  type GroupMembership,
  type StreamUpdate,
} from './subscription-group.js';
import { Ticker } from '../ticks/ticker.js';
import { LoadShedder, type UtilizationProbe } from '../ticks/load-shedder.js';
import { MemberIterator } from './member-iterator.js';
import type { RateClock } from '../ticks/rate-clock.js';
import { type DeliveryMetrics, type DeliveryTracer, DeliveryInstrumentation } from '../instrumentation.js';

export interface SubscriptionGroupsDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly rateClock: RateClock;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly utilization: UtilizationProbe;
  /** What went wrong with a group or a member: the others go on. */
  readonly onError: (error: unknown) => void;
  /** Left out: nobody counts, and nobody follows traces. */
  readonly metrics?: DeliveryMetrics;
  readonly tracer?: DeliveryTracer | null;
}

/** Everything that is streamed, by what is asked for. */
export class SubscriptionGroups implements Disposable {
  readonly #groups = new Map<string, SubscriptionGroup<unknown>>();
  readonly #tickers = new Map<number, Ticker>();
  readonly #deps: SubscriptionGroupsDeps;
  readonly #pace: LoadShedder;
  readonly #instrumentation: DeliveryInstrumentation;
  readonly #commits: Disposable;
  #awaitingFirstUpdate = new Set<FirstUpdateTarget>();

  constructor(deps: SubscriptionGroupsDeps) {
    this.#deps = deps;
    this.#instrumentation = new DeliveryInstrumentation(deps.metrics ?? null, deps.tracer ?? null, () =>
      deps.rateClock.now(),
    );
    this.#pace = new LoadShedder(deps.utilization, deps.rateClock);
    this.#commits = deps.store.onCommit(() => {
      for (const lane of this.#tickers.values()) lane.requestTick();
    });
  }

  /** Groups that are shared. */
  get size(): number {
    return this.#groups.size;
  }

  /** Rates that somebody has asked for. */
  get tickerCount(): number {
    return this.#tickers.size;
  }

  /**
   * Joins the group of `key`, which is made from `request` when there is none; dispose to leave.
   * @param key holds all that makes what `render` returns what it is, and so tells the `T` of a group from another
   */
  join<T>(key: string, request: () => GroupRequest<T>, member: GroupMember<T>): GroupMembership {
    let group = this.#groups.get(key) as SubscriptionGroup<T> | undefined; // see `key`
    if (group === undefined) {
      const asked = request();
      group = this.#open({
        ...asked,
        onEmpty: () => {
          this.#groups.delete(key);
          asked.onEmpty?.();
        },
      });
      this.#groups.set(key, group);
    }
    return group.join(member);
  }

  /** Reads a view by itself: a snapshot first, then what changes; leave it to end it. */
  iterate(view: View, hz: number, after: CursorPosition | null): AsyncIterableIterator<StreamUpdate> {
    return new MemberIterator<StreamUpdate>(after, (member) =>
      this.#open({ view, hz, render: (update: StreamUpdate) => update }).join(member),
    );
  }

  [Symbol.dispose](): void {
    this.#commits[Symbol.dispose]();
    for (const lane of this.#tickers.values()) lane[Symbol.dispose]();
  }

  #open<T>(request: GroupRequest<T>): SubscriptionGroup<T> {
    const { store, demand, active, onError } = this.#deps;
    const lane = this.#laneOf(request.hz);
    const close = (): void => {
      if (lane.size === 0) {
        lane[Symbol.dispose]();
        this.#tickers.delete(lane.hz);
      }
      request.onEmpty?.();
    };
    return new SubscriptionGroup(
      {
        store,
        demand,
        active,
        ticker: lane,
        scheduleFirstUpdate: (group) => this.#scheduleFirstUpdate(group),
        onError,
        instrumentation: this.#instrumentation,
      },
      { ...request, onEmpty: close },
    );
  }

  #laneOf(hz: number): Ticker {
    let lane = this.#tickers.get(hz);
    if (lane === undefined) {
      const { rateClock, onError, metrics = null } = this.#deps;
      lane = new Ticker(hz, rateClock, this.#pace, onError, metrics);
      this.#tickers.set(hz, lane);
    }
    return lane;
  }

  /** Those who come in one turn of the event loop are greeted together, with one execution for each group. */
  #scheduleFirstUpdate(group: FirstUpdateTarget): void {
    this.#awaitingFirstUpdate.add(group);
    if (this.#awaitingFirstUpdate.size > 1) return;
    setImmediate(() => {
      const greeted = this.#awaitingFirstUpdate;
      this.#awaitingFirstUpdate = new Set();
      for (const one of greeted) one.sendFirstUpdates();
    });
  }
}
