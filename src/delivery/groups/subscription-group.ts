import { type ViewChanges, changesSince, type CursorPosition, type Demand, type Store, type View } from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import type { Ticker } from '../ticks/ticker.js';
import { toEffectiveHz, RateMeter, type StreamRate } from '../ticks/rate-meter.js';
import type { DeliveryInstrumentation, InstrumentedUpdate } from '../instrumentation.js';

/** One update of a stream. */
export interface StreamUpdate {
  readonly changes: ViewChanges;
  readonly rate: StreamRate;
}

/** What all members of a group ask for. `T`: what they get of an update. */
export interface GroupRequest<T> {
  readonly view: View;
  /** Updates a second; 0: only when asked. */
  readonly hz: number;
  /** Makes one update into what all members that stand at the same place get; `readers`: how many they are. */
  readonly render: (update: StreamUpdate, readers: number) => T | Promise<T>;
  /** Called when the last member has left. */
  readonly onEmpty?: () => void;
}

export interface GroupMember<T> {
  /** Where it stands already; `null`: nowhere, it gets a snapshot. */
  readonly after: CursorPosition | null;
  /** Whether it can take an update now. One that says no tells its seat when it can again. */
  canReceive(): boolean;
  deliver(rendered: T): void;
}

export interface GroupMembership extends Disposable {
  /** The member has room again. */
  notifyReady(): void;
}

export interface SubscriptionGroupDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly ticker: Ticker;
  /** Has the newcomers of the group greeted soon, together. */
  readonly scheduleFirstUpdate: (group: FirstUpdateTarget) => void;
  readonly onError: (error: unknown) => void;
  readonly instrumentation: DeliveryInstrumentation;
}

export interface FirstUpdateTarget {
  /** Serves those who do not wait for a tick. */
  sendFirstUpdates(): void;
}

/**
 * All subscriptions that ask for the same: each tick is rendered once for those of them that stand at the same place,
 * which is nearly always all of them. Holds positions, never updates.
 */
export class SubscriptionGroup<T> implements FirstUpdateTarget {
  readonly #deps: SubscriptionGroupDeps;
  readonly #request: GroupRequest<T>;
  readonly #members = new Set<MemberSlot<T>>();
  readonly #wish: Disposable;
  /** One object for all that stand at the newest place. */
  #headPosition: CursorPosition | null = null;
  #closed = false;

  constructor(deps: SubscriptionGroupDeps, request: GroupRequest<T>) {
    this.#deps = deps;
    this.#request = request;
    this.#wish = deps.demand.add(request.view, request.hz);
    deps.ticker.add(this);
  }

  get size(): number {
    return this.#members.size;
  }

  /** The member gets its first update at once, unless it stands somewhere and nothing has changed since; dispose to leave. */
  join(member: GroupMember<T>): GroupMembership {
    const seat = new MemberSlot(member, this.#deps.ticker, this.#deps.active, {
      ready: () => this.#ready(seat),
      leave: () => {
        if (this.#members.delete(seat) && this.#members.size === 0) this.#close();
      },
    });
    this.#members.add(seat);
    this.#deps.scheduleFirstUpdate(this);
    return seat;
  }

  onTick(dueMs: number | null): void {
    this.#serve(false, dueMs);
  }

  sendFirstUpdates(): void {
    this.#serve(true, null);
  }

  #ready(seat: MemberSlot<T>): void {
    if (seat.isNew || (seat.missed && this.#request.hz === 0)) {
      seat.isNew = true;
      this.#deps.scheduleFirstUpdate(this);
    } else if ((seat.position?.revision ?? -1) < this.#deps.store.revision) this.#deps.ticker.requestTick();
  }

  #serve(newcomersOnly: boolean, dueMs: number | null): void {
    if (this.#closed) return;
    for (const { key, seats } of split(this.#seatsToServe(newcomersOnly), ({ position }) => position)) {
      this.#serveTable(key, seats, dueMs);
    }
  }

  #seatsToServe(newcomersOnly: boolean): readonly MemberSlot<T>[] {
    const seats: MemberSlot<T>[] = [];
    for (const seat of this.#members) {
      if (seat.rendering || (newcomersOnly && !seat.isNew)) continue;
      if (seat.member.canReceive()) seats.push(seat);
      else if (!seat.isNew) {
        seat.skip();
        this.#deps.instrumentation.recordSkip();
      }
    }
    return seats;
  }

  #serveTable(from: CursorPosition | null, table: readonly MemberSlot<T>[], dueMs: number | null): void {
    const { store, ticker, instrumentation } = this.#deps;
    const changes = changesSince(store, from, this.#request.view);
    const here = this.#headPosition?.revision === changes.position.revision ? this.#headPosition : changes.position;
    this.#headPosition = here;
    instrumentation.recordPosition(here);
    for (const seat of table) {
      seat.position = here;
      seat.isNew = false;
      seat.missed = false;
    }
    if (changes.isEmpty) return;
    for (const { key, seats } of split(table, (seat) => seat.effectiveHz())) {
      for (const seat of seats) seat.meter.recordServed();
      const rate: StreamRate = { requestedHz: ticker.hz, effectiveHz: key };
      this.#render(from, seats, { changes, rate }, instrumentation.startUpdate(from, changes, dueMs));
    }
  }

  #render(
    from: CursorPosition | null,
    seats: readonly MemberSlot<T>[],
    update: StreamUpdate,
    watched: InstrumentedUpdate,
  ): void {
    const giveBack = (error: unknown): void => {
      watched.end(0);
      this.#rollBack(from, seats, error);
    };
    let rendered: T | Promise<T>;
    try {
      rendered = this.#request.render(update, seats.length);
    } catch (error) {
      giveBack(error);
      return;
    }
    if (!(rendered instanceof Promise)) {
      watched.end(this.#deliver(seats, rendered));
      return;
    }
    for (const seat of seats) seat.rendering = true;
    rendered.then(
      (value) => {
        for (const seat of seats) seat.rendering = false;
        watched.end(this.#deliver(seats, value));
        this.#deps.ticker.requestTick();
      },
      (error: unknown) => {
        for (const seat of seats) seat.rendering = false;
        giveBack(error);
      },
    );
  }

  /** @returns how many have got it */
  #deliver(seats: readonly MemberSlot<T>[], rendered: T): number {
    let readers = 0;
    for (const seat of seats) {
      if (seat.left) continue;
      try {
        seat.member.deliver(rendered);
        readers += 1;
      } catch (error) {
        this.#deps.onError(error);
      }
    }
    return readers;
  }

  /** What could not be rendered has not been told: it is tried again with the next change. */
  #rollBack(from: CursorPosition | null, seats: readonly MemberSlot<T>[], error: unknown): void {
    for (const seat of seats) seat.position = from;
    this.#deps.onError(error);
  }

  #close(): void {
    this.#closed = true;
    this.#deps.ticker.remove(this);
    this.#wish[Symbol.dispose]();
    this.#request.onEmpty?.();
  }
}

/** Those that are alike, together. Mostly they all are, which costs nothing. */
function split<S, K>(
  all: readonly S[],
  keyOf: (one: S) => K,
): readonly { readonly key: K; readonly seats: readonly S[] }[] {
  const [first] = all;
  if (first === undefined) return [];
  const key = keyOf(first);
  if (all.every((one) => keyOf(one) === key)) return [{ key, seats: all }];
  const parts = new Map<K, S[]>();
  for (const one of all) {
    const part = parts.get(keyOf(one));
    if (part === undefined) parts.set(keyOf(one), [one]);
    else part.push(one);
  }
  return [...parts].map(([partKey, seats]) => ({ key: partKey, seats }));
}

interface MemberSlotOwner {
  ready(): void;
  leave(): void;
}

class MemberSlot<T> implements GroupMembership {
  readonly member: GroupMember<T>;
  readonly meter = new RateMeter();
  position: CursorPosition | null;
  /** It does not wait for a tick. */
  isNew = true;
  /** There was a tick that it had no room for. */
  missed = false;
  /** Its next update is being made. */
  rendering = false;
  left = false;
  readonly #ticker: Ticker;
  readonly #owner: MemberSlotOwner;
  readonly #entry: Disposable;

  constructor(member: GroupMember<T>, lane: Ticker, active: Pick<ActiveStreams, 'add'>, owner: MemberSlotOwner) {
    this.member = member;
    this.position = member.after;
    this.#ticker = lane;
    this.#owner = owner;
    this.#entry = active.add(() => ({ requestedHz: lane.hz, effectiveHz: this.effectiveHz() }));
  }

  effectiveHz(): number {
    return toEffectiveHz(this.#ticker.hz, this.meter.share * this.#ticker.meter.share);
  }

  skip(): void {
    this.missed = true;
    this.meter.recordSkipped();
  }

  notifyReady(): void {
    this.#owner.ready();
  }

  [Symbol.dispose](): void {
    this.left = true;
    this.#entry[Symbol.dispose]();
    this.#owner.leave();
  }
}
