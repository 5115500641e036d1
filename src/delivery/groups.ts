import type { Position, Store, View } from '../state/index.js';
import type { ActiveStreams } from './active-streams.js';
import {
  type DemandPort,
  type Greeter,
  Group,
  type GroupRequest,
  type Member,
  type Seat,
  type StreamedChanges,
} from './group.js';
import { Lane } from './lane.js';
import { Pace, type Utilization } from './pace.js';
import { MemberReader } from './member-reader.js';
import type { RateClock } from './rate-clock.js';
import { type DeliveryMetrics, type DeliveryTracer, DeliveryWatch } from './watch.js';

export interface GroupsDeps {
  readonly store: Store;
  readonly demand: DemandPort;
  readonly rateClock: RateClock;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly utilization: Utilization;
  /** What went wrong with a group or a member: the others go on. */
  readonly onError: (error: unknown) => void;
  /** Left out: nobody counts, and nobody follows traces. */
  readonly metrics?: DeliveryMetrics;
  readonly tracer?: DeliveryTracer | null;
}

/** Everything that is streamed, by what is asked for. */
export class Groups implements Disposable {
  readonly #groups = new Map<string, Group<unknown>>();
  readonly #lanes = new Map<number, Lane>();
  readonly #deps: GroupsDeps;
  readonly #pace: Pace;
  readonly #watch: DeliveryWatch;
  readonly #commits: Disposable;
  #greeted = new Set<Greeter>();

  constructor(deps: GroupsDeps) {
    this.#deps = deps;
    this.#watch = new DeliveryWatch(deps.metrics ?? null, deps.tracer ?? null, () => deps.rateClock.now());
    this.#pace = new Pace(deps.utilization, deps.rateClock);
    this.#commits = deps.store.onCommit(() => {
      for (const lane of this.#lanes.values()) lane.arm();
    });
  }

  /** Groups that are shared. */
  get size(): number {
    return this.#groups.size;
  }

  /** Rates that somebody has asked for. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /**
   * Joins the group of `key`, which is made from `request` when there is none; dispose to leave.
   * @param key holds all that makes what `render` returns what it is, and so tells the `T` of a group from another
   */
  join<T>(key: string, request: () => GroupRequest<T>, member: Member<T>): Seat {
    let group = this.#groups.get(key) as Group<T> | undefined; // see `key`
    if (group === undefined) {
      const asked = request();
      group = this.#open({
        ...asked,
        close: () => {
          this.#groups.delete(key);
          asked.close?.();
        },
      });
      this.#groups.set(key, group);
    }
    return group.join(member);
  }

  /** Reads a view by itself: a snapshot first, then what changes; leave it to end it. */
  read(view: View, hz: number, after: Position | null): AsyncIterableIterator<StreamedChanges> {
    return new MemberReader<StreamedChanges>(after, (member) =>
      this.#open({ view, hz, render: (update: StreamedChanges) => update }).join(member),
    );
  }

  [Symbol.dispose](): void {
    this.#commits[Symbol.dispose]();
    for (const lane of this.#lanes.values()) lane[Symbol.dispose]();
  }

  #open<T>(request: GroupRequest<T>): Group<T> {
    const { store, demand, active, onError } = this.#deps;
    const lane = this.#laneOf(request.hz);
    const close = (): void => {
      if (lane.size === 0) {
        lane[Symbol.dispose]();
        this.#lanes.delete(lane.hz);
      }
      request.close?.();
    };
    return new Group(
      { store, demand, active, lane, greet: (group) => this.#greet(group), onError, watch: this.#watch },
      { ...request, close },
    );
  }

  #laneOf(hz: number): Lane {
    let lane = this.#lanes.get(hz);
    if (lane === undefined) {
      const { rateClock, onError, metrics = null } = this.#deps;
      lane = new Lane(hz, rateClock, this.#pace, onError, metrics);
      this.#lanes.set(hz, lane);
    }
    return lane;
  }

  /** Those who come in one turn of the event loop are greeted together, with one execution for each group. */
  #greet(group: Greeter): void {
    this.#greeted.add(group);
    if (this.#greeted.size > 1) return;
    setImmediate(() => {
      const greeted = this.#greeted;
      this.#greeted = new Set();
      for (const one of greeted) one.serveNewcomers();
    });
  }
}
