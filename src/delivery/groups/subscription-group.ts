import {
  type ViewChanges,
  changesSince,
  type CursorPosition,
  type Demand,
  type Store,
  type View,
} from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import type { Ticker } from '../ticks/ticker.js';
import { toEffectiveHz, RateMeter, type StreamRate } from '../ticks/rate-meter.js';
import type { DeliveryInstrumentation, InstrumentedUpdate } from '../instrumentation.js';
import { isLongUpdate, type LongUpdates, type LongUpdateSource } from './long-updates.js';

/** Update of a stream. */
export interface StreamUpdate {
  readonly changes: ViewChanges;
  readonly rate: StreamRate;
}

/** Request that all members of a group share. `T` is the rendered form of an update. */
export interface GroupRequest<T> {
  readonly view: View;
  /** Updates per second. 0: only on request. */
  readonly hz: number;
  /** Renders one update for all members at the same position. `readers` is their number. */
  readonly render: (update: StreamUpdate, readers: number) => T | Promise<T>;
  /** Called when the last member leaves. */
  readonly onEmpty?: () => void;
}

/** Subscription as a member of its group. */
export interface GroupMember<T> {
  /** Position to resume from. Null to start with a snapshot. */
  readonly after: CursorPosition | null;
  /** Returns whether the member accepts an update now. If not, it calls `notifyReady` of its membership later. */
  canReceive(): boolean;
  deliver(rendered: T): void;
}

/** Membership in a group. Dispose to leave the group. */
export interface GroupMembership extends Disposable {
  /** Notifies the group that the member accepts updates again. */
  notifyReady(): void;
}

/** Membership from which the member can continue in another group. */
export interface PositionedMembership extends GroupMembership {
  /** Position after the last update that the member received. Null if it has received none and did not resume. */
  readonly deliveredPosition: CursorPosition | null;
}

export interface SubscriptionGroupDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly ticker: Ticker;
  /** Schedules the first updates of new members, so that members which join together share them. */
  readonly scheduleFirstUpdate: (group: FirstUpdateTarget) => void;
  readonly onError: (error: unknown) => void;
  readonly instrumentation: DeliveryInstrumentation;
  readonly longUpdates: LongUpdates;
}

export interface FirstUpdateTarget {
  /** Sends updates to the members that do not wait for a tick. */
  sendFirstUpdates(): void;
}

/**
 * Group of equal subscriptions. Renders each update once for all members at the same position, which are nearly always all
 * members. Keeps positions, never updates.
 */
export class SubscriptionGroup<T> implements FirstUpdateTarget, LongUpdateSource {
  readonly #deps: SubscriptionGroupDeps;
  readonly #request: GroupRequest<T>;
  readonly #members = new Set<MemberSlot<T>>();
  readonly #demandEntry: Disposable;
  /** Shared position object of all members at the newest revision. */
  #headPosition: CursorPosition | null = null;
  /** Members to serve in the turn of the group. Null unless a long update waits. */
  #waiting: 'NEW' | 'ALL' | null = null;
  #isClosed = false;

  constructor(deps: SubscriptionGroupDeps, request: GroupRequest<T>) {
    this.#deps = deps;
    this.#request = request;
    this.#demandEntry = deps.demand.add(request.view, request.hz);
    deps.ticker.add(this);
  }

  get size(): number {
    return this.#members.size;
  }

  /**
   * Adds a member. The member receives its first update immediately, unless it resumes from a position without later changes.
   */
  join(member: GroupMember<T>): PositionedMembership {
    const slot = new MemberSlot(member, this.#deps.ticker, this.#deps.active, {
      onReady: () => this.#handleReady(slot),
      onDispose: () => {
        if (this.#members.delete(slot) && this.#members.size === 0) this.#close();
      },
    });
    this.#members.add(slot);
    this.#deps.scheduleFirstUpdate(this);
    return slot;
  }

  onTick(dueMs: number | null): void {
    this.#serve(false, dueMs);
  }

  sendFirstUpdates(): void {
    this.#serve(true, null);
  }

  sendWaitingUpdates(): void {
    const onlyNew = this.#waiting === 'NEW';
    this.#waiting = null;
    this.#serve(onlyNew, null);
  }

  #handleReady(slot: MemberSlot<T>): void {
    if (slot.isNew || (slot.hasMissedTick && this.#request.hz === 0)) {
      slot.isNew = true;
      this.#deps.scheduleFirstUpdate(this);
    } else if ((slot.position?.revision ?? -1) < this.#deps.store.revision) this.#deps.ticker.requestTick();
  }

  #serve(onlyNew: boolean, dueMs: number | null): void {
    if (this.#isClosed) return;
    if (this.#waiting !== null) {
      if (!onlyNew) this.#waiting = 'ALL';
      return;
    }
    for (const { key, slots } of groupByKey(this.#slotsToServe(onlyNew), ({ position }) => position)) {
      const isServed = this.#serveSlots(key, slots, dueMs);
      if (!isServed) this.#waiting = onlyNew ? 'NEW' : 'ALL';
    }
  }

  #slotsToServe(onlyNew: boolean): readonly MemberSlot<T>[] {
    const slots: MemberSlot<T>[] = [];
    for (const slot of this.#members) {
      if (slot.isRendering || (onlyNew && !slot.isNew)) continue;
      if (slot.member.canReceive()) slots.push(slot);
      else if (!slot.isNew) {
        slot.skip();
        this.#deps.instrumentation.recordSkip();
      }
    }
    return slots;
  }

  /** @returns false if the update waits for another long update */
  #serveSlots(from: CursorPosition | null, slotsAtPosition: readonly MemberSlot<T>[], dueMs: number | null): boolean {
    const { store, ticker, instrumentation, longUpdates } = this.#deps;
    const changes = changesSince(store, from, this.#request.view);
    const isLong = isLongUpdate(changes);
    if (isLong && !longUpdates.start(this)) return false;
    const head = this.#headPosition?.revision === changes.position.revision ? this.#headPosition : changes.position;
    this.#headPosition = head;
    instrumentation.recordPosition(head);
    for (const slot of slotsAtPosition) {
      slot.position = head;
      slot.isNew = false;
      slot.hasMissedTick = false;
    }
    if (changes.isEmpty) return true;
    const updates = groupByKey(slotsAtPosition, (slot) => slot.effectiveHz()).map(({ key, slots }) => {
      for (const slot of slots) slot.meter.recordServed();
      const rate: StreamRate = { requestedHz: ticker.hz, effectiveHz: key };
      return this.#render(from, slots, { changes, rate }, instrumentation.startUpdate(from, changes, dueMs));
    });
    if (isLong) longUpdates.endAfter(updates);
    return true;
  }

  /** Renders and delivers an update. Resolves when it has been delivered or has failed. */
  #render(
    from: CursorPosition | null,
    slots: readonly MemberSlot<T>[],
    update: StreamUpdate,
    instrumented: InstrumentedUpdate,
  ): Promise<void> {
    const rollBack = (error: unknown): void => {
      instrumented.end(0);
      this.#rollBack(from, slots, error);
    };
    let rendered: T | Promise<T>;
    try {
      rendered = this.#request.render(update, slots.length);
    } catch (error) {
      rollBack(error);
      return Promise.resolve();
    }
    if (!(rendered instanceof Promise)) {
      instrumented.end(this.#deliver(slots, rendered));
      return Promise.resolve();
    }
    for (const slot of slots) {
      slot.isRendering = true;
      slot.renderedFrom = from;
    }
    return rendered.then(
      (value) => {
        for (const slot of slots) slot.isRendering = false;
        instrumented.end(this.#deliver(slots, value));
        this.#deps.ticker.requestTick();
      },
      (error: unknown) => {
        for (const slot of slots) slot.isRendering = false;
        rollBack(error);
      },
    );
  }

  /** Delivers an update and returns the number of members that received it. */
  #deliver(slots: readonly MemberSlot<T>[], rendered: T): number {
    let readers = 0;
    for (const slot of slots) {
      if (slot.hasLeft) continue;
      try {
        slot.member.deliver(rendered);
        readers += 1;
      } catch (error) {
        this.#deps.onError(error);
      }
    }
    return readers;
  }

  /** Restores the positions after a failed rendering, so that the next change includes the failed update. */
  #rollBack(from: CursorPosition | null, slots: readonly MemberSlot<T>[], error: unknown): void {
    for (const slot of slots) slot.position = from;
    this.#deps.onError(error);
  }

  #close(): void {
    this.#isClosed = true;
    this.#deps.ticker.remove(this);
    this.#demandEntry[Symbol.dispose]();
    this.#request.onEmpty?.();
  }
}

/** Groups slots by key. Returns the list itself if all keys are equal, which is the usual case. */
function groupByKey<S, K>(
  all: readonly S[],
  toKey: (slot: S) => K,
): readonly { readonly key: K; readonly slots: readonly S[] }[] {
  const [first] = all;
  if (first === undefined) return [];
  const key = toKey(first);
  if (all.every((slot) => toKey(slot) === key)) return [{ key, slots: all }];
  const parts = new Map<K, S[]>();
  for (const slot of all) {
    const part = parts.get(toKey(slot));
    if (part === undefined) parts.set(toKey(slot), [slot]);
    else part.push(slot);
  }
  return [...parts].map(([partKey, slots]) => ({ key: partKey, slots }));
}

interface MemberSlotOwner {
  onReady(): void;
  onDispose(): void;
}

/** State of one member within its group. */
class MemberSlot<T> implements PositionedMembership {
  readonly member: GroupMember<T>;
  readonly meter = new RateMeter();
  position: CursorPosition | null;
  /** Whether the member receives its next update without waiting for a tick. */
  isNew = true;
  /** Whether the member was skipped at a tick since its last update. */
  hasMissedTick = false;
  /** Whether the next update of the member is being rendered. */
  isRendering = false;
  /** Position before the update that is being rendered. */
  renderedFrom: CursorPosition | null = null;
  hasLeft = false;
  readonly #ticker: Ticker;
  readonly #owner: MemberSlotOwner;
  readonly #entry: Disposable;

  constructor(member: GroupMember<T>, ticker: Ticker, active: Pick<ActiveStreams, 'add'>, owner: MemberSlotOwner) {
    this.member = member;
    this.position = member.after;
    this.#ticker = ticker;
    this.#owner = owner;
    this.#entry = active.add(() => ({ requestedHz: ticker.hz, effectiveHz: this.effectiveHz() }));
  }

  get deliveredPosition(): CursorPosition | null {
    return this.isRendering ? this.renderedFrom : this.position;
  }

  effectiveHz(): number {
    return toEffectiveHz(this.#ticker.hz, this.meter.share * this.#ticker.meter.share);
  }

  skip(): void {
    this.hasMissedTick = true;
    this.meter.recordSkipped();
  }

  notifyReady(): void {
    this.#owner.onReady();
  }

  [Symbol.dispose](): void {
    this.hasLeft = true;
    this.#entry[Symbol.dispose]();
    this.#owner.onDispose();
  }
}
