import { type Clock, errorMessage, isoTimestamp, type Logger } from '../../shared/index.js';
import {
  hasStateChanges,
  emptyDelta,
  type ServerDelta,
  serverSnapshot,
  toStaleSnapshot,
  type Store,
} from '../../state/index.js';
import { eventsMissedNotice } from './bus.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { parsePosition, readStoredSnapshot } from './stored-snapshot.js';
import { baseSequence, toServerDelta, type BusMessage, type BusPosition } from './bus-message.js';

export interface ServerFollowerDeps {
  readonly link: RedisConnection;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** Has the change committed before it returns. */
  readonly emit: (change: ServerDelta) => void;
  /** Something of a server may have come and gone without having been told here. */
  readonly onGap: () => void;
}

/**
 * One server that another node holds: its messages are applied in their order; whenever one does not fit, the picture
 * in Redis is read instead. So no message is ever waited for, and none is kept.
 */
export class ServerFollower {
  readonly #deps: ServerFollowerDeps;
  readonly #serverId: string;
  /** What the store shows; `null`: nothing that a message could build on. */
  #position: BusPosition | null = null;
  /** Up to where events have come. */
  #eventsAt: BusPosition | null = null;
  /** Of all messages that came while the picture was being read. */
  #newest: BusPosition | null = null;
  /** What the store showed when a look last found something newer in Redis. */
  #lagging: BusPosition | null = null;
  #pendingRead: Promise<void> | null = null;
  #isToRead = false;
  #missingSince: number | null = null;
  #unwatchedSince: number | null = null;

  constructor(serverId: string, deps: ServerFollowerDeps) {
    this.#serverId = serverId;
    this.#deps = deps;
  }

  /** The picture has been missing from Redis for so long that its holder would have written it again. */
  get hasExpired(): boolean {
    return this.#hasLasted(this.#missingSince);
  }

  /** @param message `null`: one that cannot be read */
  receive(message: BusMessage | null): void {
    const { store, emit } = this.#deps;
    if (message === null) {
      this.#startReading();
      return;
    }
    const events = this.#eventsOf(message);
    const isOld = this.#position !== null && !isAfter(message, this.#position);
    const change = isOld || !this.#fits(message) ? null : toServerDelta(store, this.#serverId, message);
    if (change !== null) {
      this.#position = { fencingToken: message.fencingToken, seq: message.seq };
      emit({ ...change, events });
      return;
    }
    if (events.length > 0) emit({ ...emptyDelta(this.#serverId), events, publishedAtMs: message.atMs });
    if (isOld) return;
    if (this.#pendingRead === null) this.#startReading();
    else if (this.#newest === null || isAfter(message, this.#newest)) this.#newest = message;
  }

  /**
   * Brings the store to the picture in Redis. Only one reading is under way; one that is asked for meanwhile is done
   * once more afterwards. Never rejects: what failed is tried again at the next look.
   */
  resync(): Promise<void> {
    this.#isToRead = true;
    this.#pendingRead ??= this.#readAll().finally(() => (this.#pendingRead = null));
    return this.#pendingRead;
  }

  /**
   * Compares with Redis, and reads what is behind for the second time: a message that was lost is found here.
   * @returns whether the store has what had been published by then
   */
  async verify(): Promise<boolean> {
    const { link, clock } = this.#deps;
    const before = this.#position;
    const [at, lease] = await Promise.all([
      link.commands.hget(link.keys.key(this.#serverId, 'picture'), 'at'),
      link.commands.exists(link.keys.key(this.#serverId, 'lease')),
    ]);
    this.#missEvents();
    this.#unwatchedSince = lease > 0 ? null : (this.#unwatchedSince ?? clock.monotonic());
    if (this.#hasLasted(this.#unwatchedSince)) {
      this.markStale('no node watches it');
      return false;
    }
    const position = parsePosition(at);
    // What came meanwhile is newer than the answer.
    if (before !== null && position !== null) {
      if (!isSame(before, this.#position) || isSame(before, position)) return this.#position !== null;
      // A picture is written before it is told: what is ahead for the first time is most likely on its way.
      const isExpected = isAfter(position, before) && !isSame(before, this.#lagging);
      this.#lagging = before;
      if (isExpected) return false;
    }
    await this.resync();
    return this.#position !== null;
  }

  /** The last known values go on, marked as such, until the picture has been read again. */
  markStale(reason: string): void {
    const { store, clock, emit } = this.#deps;
    this.#position = null;
    const picture = serverSnapshot(store, this.#serverId);
    if (picture === null) return;
    const { server } = picture;
    const stale = { ...server, status: 'OFFLINE' as const, stale: true, lastError: reason };
    const since = { staleSince: server.staleSince ?? isoTimestamp(clock) };
    const seenAt = store.serverLastSeenAt(this.#serverId);
    const change = store.diff(toStaleSnapshot(picture, { ...stale, ...since }, seenAt), null);
    if (hasStateChanges(change)) emit(change);
  }

  #startReading(): void {
    // Never rejects.
    this.resync().catch(() => undefined);
  }

  /** Whether the store is where the message builds on. */
  #fits(message: BusMessage): boolean {
    const { body, fencingToken } = message;
    if (this.#pendingRead !== null) return false;
    if (body.x === 1) return true;
    const position = this.#position;
    return body.g === undefined && position?.fencingToken === fencingToken && position.seq >= baseSequence(message);
  }

  async #readAll(): Promise<void> {
    const { logger } = this.#deps;
    try {
      // A picture is written before it is told, so that one more reading is enough, whatever a message claims.
      for (let round = 0; round < 2 && this.#isToRead; round += 1) {
        this.#isToRead = false;
        await this.#readOnce();
        if (this.#newest !== null && (this.#position === null || isAfter(this.#newest, this.#position))) {
          this.#isToRead = true;
        }
        this.#newest = null;
      }
    } catch (error) {
      this.#position = null;
      logger.debug({ serverId: this.#serverId, error: errorMessage(error) }, 'a picture could not be read from Redis');
    }
  }

  async #readOnce(): Promise<void> {
    const { link, store, clock, emit } = this.#deps;
    const stored = await readStoredSnapshot(link, this.#serverId);
    this.#deps.onGap();
    if (stored === null) {
      this.#missingSince ??= clock.monotonic();
      this.#position = null;
      return;
    }
    this.#missingSince = null;
    this.#position = stored.at;
    this.#eventsAt ??= stored.at;
    const change = { ...store.diff(stored.snapshot, stored.seenAt), publishedAtMs: stored.atMs };
    if (hasStateChanges(change) || stored.seenAt !== store.serverLastSeenAt(this.#serverId)) emit(change);
  }

  /** Those that have not come yet. */
  #eventsOf(message: BusMessage): ServerDelta['events'] {
    const { fencingToken, seq, body } = message;
    const last = this.#eventsAt;
    if (last !== null && !isAfter({ fencingToken, seq }, last)) return [];
    this.#eventsAt = { fencingToken, seq };
    const { v = [] } = body;
    const isGap = last !== null && baseSequence(message) > (last.fencingToken === fencingToken ? last.seq : 0);
    return isGap ? [this.#missed(), ...v] : v;
  }

  /** Whatever was told up to the picture that the last look found has come, or will not. */
  #missEvents(): void {
    const position = this.#position;
    if (position === null || this.#eventsAt === null || !isAfter(position, this.#eventsAt)) return;
    this.#eventsAt = position;
    this.#deps.emit({ ...emptyDelta(this.#serverId), events: [this.#missed()] });
  }

  #missed(): ServerDelta['events'][number] {
    const message = `events of ${this.#serverId} may have been missed: a message of its node was lost`;
    return eventsMissedNotice(this.#serverId, message, this.#deps.clock);
  }

  #hasLasted(since: number | null): boolean {
    return since !== null && this.#deps.clock.monotonic() - since > this.#deps.leaseMs;
  }
}

function isAfter(a: BusPosition, b: BusPosition): boolean {
  return a.fencingToken === b.fencingToken ? a.seq > b.seq : a.fencingToken > b.fencingToken;
}

function isSame(a: BusPosition | null, b: BusPosition | null): boolean {
  return a?.fencingToken === b?.fencingToken && a?.seq === b?.seq;
}
