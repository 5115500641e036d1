import type { CursorPosition, Demand, Store, View } from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import {
  type FirstUpdateTarget,
  SubscriptionGroup,
  type GroupRequest,
  type GroupMember,
  type PositionedMembership,
  type StreamUpdate,
} from './subscription-group.js';
import { Ticker } from '../ticks/ticker.js';
import { LoadShedder, type UtilizationProbe } from '../ticks/load-shedder.js';
import { LongUpdates } from './long-updates.js';
import { MemberIterator } from './member-iterator.js';
import { RatedMembership, type StreamRateRequest } from './rated-membership.js';
import type { RateClock } from '../ticks/rate-clock.js';
import { type DeliveryMetrics, type DeliveryTracer, DeliveryInstrumentation } from '../instrumentation.js';

export interface SubscriptionGroupsDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly rateClock: RateClock;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly utilization: UtilizationProbe;
  /** Receives errors of a group or member. The others continue. */
  readonly onError: (error: unknown) => void;
  /** Recorder of metrics. @default none */
  readonly metrics?: DeliveryMetrics;
  /** Tracer of deliveries. @default none */
  readonly tracer?: DeliveryTracer | null;
}

/** All subscription groups by key. Creates and closes groups and tickers. */
export class SubscriptionGroups implements Disposable {
  readonly #groups = new Map<string, SubscriptionGroup<unknown>>();
  readonly #tickers = new Map<number, Ticker>();
  readonly #deps: SubscriptionGroupsDeps;
  readonly #loadShedder: LoadShedder;
  readonly #instrumentation: DeliveryInstrumentation;
  readonly #longUpdates = new LongUpdates();
  readonly #commits: Disposable;
  #awaitingFirstUpdate = new Set<FirstUpdateTarget>();

  constructor(deps: SubscriptionGroupsDeps) {
    this.#deps = deps;
    this.#instrumentation = new DeliveryInstrumentation(deps.metrics ?? null, deps.tracer ?? null, () =>
      deps.rateClock.now(),
    );
    this.#loadShedder = new LoadShedder(deps.utilization, deps.rateClock);
    this.#commits = deps.store.onCommit(() => {
      for (const ticker of this.#tickers.values()) ticker.requestTick();
    });
  }

  /** Number of shared groups. */
  get size(): number {
    return this.#groups.size;
  }

  /** Number of rates in use. */
  get tickerCount(): number {
    return this.#tickers.size;
  }

  /**
   * Joins the group of `key`. Creates it from `request` if there is none. Dispose to leave.
   * @param key contains everything that affects the result of `render`, and so determines `T`
   */
  join<T>(key: string, request: () => GroupRequest<T>, member: GroupMember<T>): PositionedMembership {
    let group = this.#groups.get(key) as SubscriptionGroup<T> | undefined; // see `key`
    if (group === undefined) {
      const created = request();
      group = this.#open({
        ...created,
        onEmpty: () => {
          this.#groups.delete(key);
          created.onEmpty?.();
        },
      });
      this.#groups.set(key, group);
    }
    return group.join(member);
  }

  /** Streams a view in a group of its own: first a snapshot, then changes. Close the iterator to end the stream. */
  iterate(view: View, rate: StreamRateRequest, after: CursorPosition | null): AsyncIterableIterator<StreamUpdate> {
    return new MemberIterator<StreamUpdate>(
      after,
      (reader) =>
        new RatedMembership(reader, rate, (hz, member) =>
          this.#open({ view, hz, render: (update: StreamUpdate) => update }).join(member),
        ),
    );
  }

  [Symbol.dispose](): void {
    this.#commits[Symbol.dispose]();
    for (const ticker of this.#tickers.values()) ticker[Symbol.dispose]();
  }

  #open<T>(request: GroupRequest<T>): SubscriptionGroup<T> {
    const { store, demand, active, onError } = this.#deps;
    const ticker = this.#tickerFor(request.hz);
    const close = (): void => {
      if (ticker.size === 0) {
        ticker[Symbol.dispose]();
        this.#tickers.delete(ticker.hz);
      }
      request.onEmpty?.();
    };
    return new SubscriptionGroup(
      {
        store,
        demand,
        active,
        ticker: ticker,
        scheduleFirstUpdate: (group) => this.#scheduleFirstUpdate(group),
        onError,
        instrumentation: this.#instrumentation,
        longUpdates: this.#longUpdates,
      },
      { ...request, onEmpty: close },
    );
  }

  #tickerFor(hz: number): Ticker {
    let ticker = this.#tickers.get(hz);
    if (ticker === undefined) {
      const { rateClock, onError, metrics = null } = this.#deps;
      ticker = new Ticker(hz, rateClock, this.#loadShedder, onError, metrics);
      this.#tickers.set(hz, ticker);
    }
    return ticker;
  }

  /** Sends the first updates of all members that join in one turn of the event loop together, one rendering per group. */
  #scheduleFirstUpdate(group: FirstUpdateTarget): void {
    this.#awaitingFirstUpdate.add(group);
    if (this.#awaitingFirstUpdate.size > 1) return;
    setImmediate(() => {
      const targets = this.#awaitingFirstUpdate;
      this.#awaitingFirstUpdate = new Set();
      for (const target of targets) target.sendFirstUpdates();
    });
  }
}
