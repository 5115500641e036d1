import { type Changes, changesSince, type Position, type Store, type View } from '../state/index.js';
import type { ActiveStreams } from './active-streams.js';
import type { Lane } from './lane.js';
import { effectiveHz, RateMeter, type StreamRate } from './rate-meter.js';

/** Where streams say how often they want to know. */
export interface DemandPort {
  /** Until disposed; 0 Hz wants nothing of itself. */
  add(view: View, hz: number): Disposable;
}

/** One update of a stream. */
export interface StreamedChanges {
  readonly changes: Changes;
  readonly rate: StreamRate;
}

/** What all members of a group ask for. `T`: what they get of an update. */
export interface GroupRequest<T> {
  readonly view: View;
  /** Updates a second; 0: only when asked. */
  readonly hz: number;
  /** Makes one update into what all members that stand at the same place get; `readers`: how many they are. */
  readonly render: (update: StreamedChanges, readers: number) => T | Promise<T>;
  /** Called when the last member has left. */
  readonly close?: () => void;
}

export interface Member<T> {
  /** Where it stands already; `null`: nowhere, it gets a snapshot. */
  readonly after: Position | null;
  /** Whether it can take an update now. One that says no tells its seat when it can again. */
  hasRoom(): boolean;
  deliver(rendered: T): void;
}

export interface Seat extends Disposable {
  /** The member has room again. */
  ready(): void;
}

export interface GroupDeps {
  readonly store: Store;
  readonly demand: DemandPort;
  readonly active: ActiveStreams;
  readonly lane: Lane;
  /** Has the newcomers of the group greeted soon, together. */
  readonly greet: (group: Greeter) => void;
  readonly onError: (error: unknown) => void;
}

export interface Greeter {
  /** Serves those who do not wait for a tick. */
  serveNewcomers(): void;
}

/**
 * All subscriptions that ask for the same: each tick is rendered once for those of them that stand at the same place,
 * which is nearly always all of them. Holds positions, never updates.
 */
export class Group<T> implements Greeter {
  readonly #deps: GroupDeps;
  readonly #request: GroupRequest<T>;
  readonly #members = new Set<GroupSeat<T>>();
  readonly #wish: Disposable;
  /** One object for all that stand at the newest place. */
  #here: Position | null = null;
  #closed = false;

  constructor(deps: GroupDeps, request: GroupRequest<T>) {
    this.#deps = deps;
    this.#request = request;
    this.#wish = deps.demand.add(request.view, request.hz);
    deps.lane.add(this);
  }

  get size(): number {
    return this.#members.size;
  }

  /** The member gets its first update at once, unless it stands somewhere and nothing has changed since; dispose to leave. */
  join(member: Member<T>): Seat {
    const seat = new GroupSeat(member, this.#deps.lane, this.#deps.active, {
      ready: () => this.#ready(seat),
      leave: () => {
        if (this.#members.delete(seat) && this.#members.size === 0) this.#close();
      },
    });
    this.#members.add(seat);
    this.#deps.greet(this);
    return seat;
  }

  serve(): void {
    this.#serve(false);
  }

  serveNewcomers(): void {
    this.#serve(true);
  }

  #ready(seat: GroupSeat<T>): void {
    if (seat.isNew || (seat.missed && this.#request.hz === 0)) {
      seat.isNew = true;
      this.#deps.greet(this);
    } else if ((seat.position?.revision ?? -1) < this.#deps.store.revision) this.#deps.lane.arm();
  }

  #serve(newcomersOnly: boolean): void {
    if (this.#closed) return;
    const tables = new Map<Position | null, GroupSeat<T>[]>();
    for (const seat of this.#members) {
      if (seat.rendering || (newcomersOnly && !seat.isNew)) continue;
      if (!seat.member.hasRoom()) {
        if (!seat.isNew) seat.skip();
        continue;
      }
      const table = tables.get(seat.position);
      if (table === undefined) tables.set(seat.position, [seat]);
      else table.push(seat);
    }
    for (const [position, table] of tables) this.#serveTable(position, table);
  }

  #serveTable(from: Position | null, table: readonly GroupSeat<T>[]): void {
    const { store, lane } = this.#deps;
    const changes = changesSince(store, from, this.#request.view);
    const here = this.#here?.revision === changes.position.revision ? this.#here : changes.position;
    this.#here = here;
    const rates = new Map<number, GroupSeat<T>[]>();
    for (const seat of table) {
      seat.position = here;
      seat.isNew = false;
      seat.missed = false;
      if (changes.empty) continue;
      const hz = seat.effectiveHz();
      const seats = rates.get(hz);
      if (seats === undefined) rates.set(hz, [seat]);
      else seats.push(seat);
      seat.meter.served();
    }
    for (const [hz, seats] of rates) {
      const rate: StreamRate = { requestedHz: lane.hz, effectiveHz: hz };
      this.#render(from, seats, { changes, rate });
    }
  }

  #render(from: Position | null, seats: readonly GroupSeat<T>[], update: StreamedChanges): void {
    let rendered: T | Promise<T>;
    try {
      rendered = this.#request.render(update, seats.length);
    } catch (error) {
      this.#giveBack(from, seats, error);
      return;
    }
    if (!(rendered instanceof Promise)) {
      this.#hand(seats, rendered);
      return;
    }
    for (const seat of seats) seat.rendering = true;
    rendered.then(
      (value) => {
        for (const seat of seats) seat.rendering = false;
        this.#hand(seats, value);
        this.#deps.lane.arm();
      },
      (error: unknown) => {
        for (const seat of seats) seat.rendering = false;
        this.#giveBack(from, seats, error);
      },
    );
  }

  #hand(seats: readonly GroupSeat<T>[], rendered: T): void {
    for (const seat of seats) {
      if (!this.#members.has(seat)) continue;
      try {
        seat.member.deliver(rendered);
      } catch (error) {
        this.#deps.onError(error);
      }
    }
  }

  /** What could not be rendered has not been told: it is tried again with the next change. */
  #giveBack(from: Position | null, seats: readonly GroupSeat<T>[], error: unknown): void {
    for (const seat of seats) seat.position = from;
    this.#deps.onError(error);
  }

  #close(): void {
    this.#closed = true;
    this.#deps.lane.remove(this);
    this.#wish[Symbol.dispose]();
    this.#request.close?.();
  }
}

interface SeatOwner {
  ready(): void;
  leave(): void;
}

class GroupSeat<T> implements Seat {
  readonly member: Member<T>;
  readonly meter = new RateMeter();
  position: Position | null;
  /** It does not wait for a tick. */
  isNew = true;
  /** There was a tick that it had no room for. */
  missed = false;
  /** Its next update is being made. */
  rendering = false;
  readonly #lane: Lane;
  readonly #owner: SeatOwner;
  readonly #entry: Disposable;

  constructor(member: Member<T>, lane: Lane, active: ActiveStreams, owner: SeatOwner) {
    this.member = member;
    this.position = member.after;
    this.#lane = lane;
    this.#owner = owner;
    this.#entry = active.add(() => ({ requestedHz: lane.hz, effectiveHz: this.effectiveHz() }));
  }

  effectiveHz(): number {
    return effectiveHz(this.#lane.hz, this.meter.share * this.#lane.meter.share);
  }

  skip(): void {
    this.missed = true;
    this.meter.skipped();
  }

  ready(): void {
    this.#owner.ready();
  }

  [Symbol.dispose](): void {
    this.#entry[Symbol.dispose]();
    this.#owner.leave();
  }
}
