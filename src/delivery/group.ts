import { changesSince, type Position, type Store, type View } from '../state/index.js';
import type { ActiveStreams } from './active-streams.js';
import type { RateClock } from './rate-clock.js';
import { RateMeter } from './rate-meter.js';
import type { DemandPort, StreamedChanges } from './streams.js';

export interface GroupDeps {
  readonly store: Store;
  readonly demand: DemandPort;
  readonly rateClock: RateClock;
  readonly active: ActiveStreams;
}

export interface GroupRequest {
  readonly view: View;
  readonly hz: number;
  /** Executes the operation that all members share on one update; the result as JSON. */
  readonly render: (update: StreamedChanges) => string | Promise<string>;
}

export interface Member {
  /** Hands one rendered update to the member; resolves when it has room for another. */
  deliver(body: string): Promise<void>;
  /** Where it stands already; `null`: nowhere, it gets a snapshot. */
  readonly after: Position | null;
}

interface Seat {
  readonly member: Member;
  readonly meter: RateMeter;
  readonly entry: Disposable;
  position: Position | null;
  /** It has no room yet: its position waits, nothing else does. */
  busy: boolean;
  /** A newcomer does not wait for the next tick. */
  waiting: boolean;
}

/**
 * All subscriptions that ask for the same: each tick is executed and serialised once for those of them that stand at
 * the same place, which is nearly always all of them. Holds positions, never updates.
 */
export class Group {
  readonly #deps: GroupDeps;
  readonly #request: GroupRequest;
  readonly #seats = new Set<Seat>();
  readonly #closed = new AbortController();
  readonly #commits: Disposable;
  readonly #wish: Disposable;
  readonly #onError: (error: unknown) => void;
  #armed = false;
  #greeting = false;

  constructor(deps: GroupDeps, request: GroupRequest, onError: (error: unknown) => void) {
    this.#deps = deps;
    this.#request = request;
    this.#onError = onError;
    this.#commits = deps.store.onCommit(() => this.#arm());
    this.#wish = deps.demand.add(request.view, request.hz);
  }

  get size(): number {
    return this.#seats.size;
  }

  /** The member gets its first update at once, unless it stands somewhere and nothing has changed since; dispose to leave. */
  join(member: Member): Disposable {
    const meter = new RateMeter(this.#request.hz);
    const entry = this.#deps.active.add(meter);
    const seat: Seat = { member, meter, entry, position: member.after, busy: false, waiting: true };
    this.#seats.add(seat);
    this.#greet();
    return {
      [Symbol.dispose]: () => {
        if (!this.#seats.delete(seat)) return;
        entry[Symbol.dispose]();
        if (this.#seats.size === 0) this.#close();
      },
    };
  }

  /** Those who come in one turn of the event loop are greeted together, with one execution. */
  #greet(): void {
    if (this.#greeting) return;
    this.#greeting = true;
    setImmediate(() => {
      this.#greeting = false;
      this.#serve((seat) => seat.waiting);
    });
  }

  /** Waits for the next tick when somebody who has room stands behind the store. */
  #arm(): void {
    if (this.#armed || this.#closed.signal.aborted) return;
    const { store, rateClock } = this.#deps;
    const behind = [...this.#seats].some((seat) => !seat.busy && (seat.position?.revision ?? -1) < store.revision);
    if (!behind) return;
    this.#armed = true;
    const { signal } = this.#closed;
    const { hz } = this.#request;
    const tick = hz === 0 ? rateClock.nextDemand(rateClock.demands, signal) : rateClock.next(hz, signal);
    tick.then(
      () => {
        this.#armed = false;
        this.#serve(() => true);
        this.#arm();
      },
      (error: unknown) => this.#onError(error),
    );
  }

  #serve(whom: (seat: Seat) => boolean): void {
    if (this.#closed.signal.aborted) return;
    const tables = new Map<string, Seat[]>();
    for (const seat of this.#seats) {
      if (seat.busy || !whom(seat)) continue;
      const { effectiveHz } = seat.meter.rate();
      const place = `${seat.position?.revision ?? 'new'} ${seat.position?.view.key ?? ''} ${effectiveHz}`;
      const table = tables.get(place);
      if (table === undefined) tables.set(place, [seat]);
      else table.push(seat);
    }
    for (const table of tables.values()) this.#serveTable(table);
  }

  #serveTable(table: readonly Seat[]): void {
    const [first] = table;
    if (first === undefined) return;
    const changes = changesSince(this.#deps.store, first.position, this.#request.view);
    for (const seat of table) {
      seat.position = changes.position;
      seat.waiting = false;
      seat.busy = !changes.empty;
    }
    if (changes.empty) return;
    this.#hand(table, { changes, rate: first.meter.rate() }).catch(this.#onError);
  }

  async #hand(table: readonly Seat[], update: StreamedChanges): Promise<void> {
    const rendered = this.#request.render(update);
    // Nothing is awaited that need not be: the resolvers of a shared field are synchronous.
    const body = typeof rendered === 'string' ? rendered : await rendered;
    const now = this.#deps.rateClock.now();
    await Promise.all(
      table.map(async (seat) => {
        if (!this.#seats.has(seat)) return;
        seat.meter.delivered(now);
        try {
          await seat.member.deliver(body);
        } finally {
          seat.meter.ready(this.#deps.rateClock.now());
          seat.busy = false;
          this.#arm();
        }
      }),
    );
  }

  #close(): void {
    this.#closed.abort();
    this.#commits[Symbol.dispose]();
    this.#wish[Symbol.dispose]();
  }
}

/** The groups that have members, by what they ask for. */
export class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #deps: GroupDeps;
  readonly #onError: (error: unknown) => void;

  constructor(deps: GroupDeps, onError: (error: unknown) => void) {
    this.#deps = deps;
    this.#onError = onError;
  }

  get size(): number {
    return this.#groups.size;
  }

  /** Joins the group of `key`, which is made from `request` when there is none; dispose to leave. */
  join(key: string, request: () => GroupRequest, member: Member): Disposable {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(this.#deps, request(), this.#onError);
      this.#groups.set(key, group);
    }
    const joined = group;
    const seat = joined.join(member);
    return {
      [Symbol.dispose]: () => {
        seat[Symbol.dispose]();
        if (joined.size === 0 && this.#groups.get(key) === joined) this.#groups.delete(key);
      },
    };
  }
}
