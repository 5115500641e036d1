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
  /** Commits the delta before it returns. */
  readonly emit: (delta: ServerDelta) => void;
  /** Called when changes of the server may have been missed. */
  readonly onGap: () => void;
}

/**
 * Applies the bus messages of one server that another node owns, in order. Reads the stored snapshot instead if a message does
 * not fit, so that no message is awaited or kept.
 */
export class ServerFollower {
  readonly #deps: ServerFollowerDeps;
  readonly #serverId: string;
  /** Position of the store. Null if no message can be applied to it. */
  #position: BusPosition | null = null;
  /** Position up to which events were received. */
  #eventsPosition: BusPosition | null = null;
  /** Newest position of the messages that arrived while the snapshot was read. */
  #newest: BusPosition | null = null;
  /** Position of the store when a verification last found a newer one in Redis. */
  #lagging: BusPosition | null = null;
  #pendingRead: Promise<void> | null = null;
  #needsRead = false;
  #missingSince: number | null = null;
  #unownedSince: number | null = null;

  constructor(serverId: string, deps: ServerFollowerDeps) {
    this.#serverId = serverId;
    this.#deps = deps;
  }

  /** Whether the snapshot has been missing from Redis for so long that its owner would have rewritten it. */
  get hasExpired(): boolean {
    return this.#hasExceededLease(this.#missingSince);
  }

  /** Applies a message. Null stands for an invalid message. */
  receive(message: BusMessage | null): void {
    const { store, emit } = this.#deps;
    if (message === null) {
      this.#startRead();
      return;
    }
    const events = this.#newEvents(message);
    const isOld = this.#position !== null && !isAfter(message, this.#position);
    const delta = isOld || !this.#canApply(message) ? null : toServerDelta(store, this.#serverId, message);
    if (delta !== null) {
      this.#position = { fencingToken: message.fencingToken, seq: message.seq };
      emit({ ...delta, events });
      return;
    }
    if (events.length > 0) emit({ ...emptyDelta(this.#serverId), events, publishedAtMs: message.atMs });
    if (isOld) return;
    if (this.#pendingRead === null) this.#startRead();
    else if (this.#newest === null || isAfter(message, this.#newest)) this.#newest = message;
  }

  /**
   * Brings the store to the snapshot in Redis. A call during a read causes one more read afterwards. Never rejects; a failed read
   * is retried at the next verification.
   */
  resync(): Promise<void> {
    this.#needsRead = true;
    this.#pendingRead ??= this.#readAll().finally(() => (this.#pendingRead = null));
    return this.#pendingRead;
  }

  /**
   * Compares the position with Redis, and reads the snapshot if it is behind for the second time. This detects lost messages.
   * @returns whether the store contains everything published until then
   */
  async verify(): Promise<boolean> {
    const { link, clock } = this.#deps;
    const before = this.#position;
    const [at, lease] = await Promise.all([
      link.commands.hget(link.keys.key(this.#serverId, 'snapshot'), 'at'),
      link.commands.exists(link.keys.key(this.#serverId, 'lease')),
    ]);
    this.#reportMissedEvents();
    this.#unownedSince = lease > 0 ? null : (this.#unownedSince ?? clock.monotonic());
    if (this.#hasExceededLease(this.#unownedSince)) {
      this.markStale('no node owns the server');
      return false;
    }
    const position = parsePosition(at);
    // Messages that arrived meanwhile are newer than the answer.
    if (before !== null && position !== null) {
      if (!arePositionsEqual(before, this.#position) || arePositionsEqual(before, position))
        return this.#position !== null;
      // A snapshot is written before its message is published, so the message is probably in flight the first time.
      const isExpected = isAfter(position, before) && !arePositionsEqual(before, this.#lagging);
      this.#lagging = before;
      if (isExpected) return false;
    }
    await this.resync();
    return this.#position !== null;
  }

  /** Marks the server as stale until its snapshot is read again. */
  markStale(reason: string): void {
    const { store, clock, emit } = this.#deps;
    this.#position = null;
    const snapshot = serverSnapshot(store, this.#serverId);
    if (snapshot === null) return;
    const { server } = snapshot;
    const stale = { ...server, status: 'OFFLINE' as const, stale: true, lastError: reason };
    const since = { staleSince: server.staleSince ?? isoTimestamp(clock) };
    const seenAt = store.serverLastSeenAt(this.#serverId);
    const delta = store.diff(toStaleSnapshot(snapshot, { ...stale, ...since }, seenAt), null);
    if (hasStateChanges(delta)) emit(delta);
  }

  #startRead(): void {
    // Never rejects.
    this.resync().catch(() => undefined);
  }

  /** Returns whether the message can be applied to the store. */
  #canApply(message: BusMessage): boolean {
    const { body, fencingToken } = message;
    if (this.#pendingRead !== null) return false;
    if (body.x === 1) return true;
    const position = this.#position;
    return body.g === undefined && position?.fencingToken === fencingToken && position.seq >= baseSequence(message);
  }

  async #readAll(): Promise<void> {
    const { logger } = this.#deps;
    try {
      // The snapshot is written before its message is published, so that one more read suffices.
      for (let round = 0; round < 2 && this.#needsRead; round += 1) {
        this.#needsRead = false;
        await this.#readOnce();
        if (this.#newest !== null && (this.#position === null || isAfter(this.#newest, this.#position))) {
          this.#needsRead = true;
        }
        this.#newest = null;
      }
    } catch (error) {
      this.#position = null;
      logger.debug({ serverId: this.#serverId, error: errorMessage(error) }, 'could not read a snapshot from Redis');
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
    this.#eventsPosition ??= stored.at;
    const delta = { ...store.diff(stored.snapshot, stored.seenAt), publishedAtMs: stored.atMs };
    if (hasStateChanges(delta) || stored.seenAt !== store.serverLastSeenAt(this.#serverId)) emit(delta);
  }

  /** Returns the events of a message that were not received yet. */
  #newEvents(message: BusMessage): ServerDelta['events'] {
    const { fencingToken, seq, body } = message;
    const last = this.#eventsPosition;
    if (last !== null && !isAfter({ fencingToken, seq }, last)) return [];
    this.#eventsPosition = { fencingToken, seq };
    const { v = [] } = body;
    const isGap = last !== null && baseSequence(message) > (last.fencingToken === fencingToken ? last.seq : 0);
    return isGap ? [this.#missedNotice(), ...v] : v;
  }

  /** Reports missed events: events up to the stored snapshot that have not arrived by now will not arrive. */
  #reportMissedEvents(): void {
    const position = this.#position;
    if (position === null || this.#eventsPosition === null || !isAfter(position, this.#eventsPosition)) return;
    this.#eventsPosition = position;
    this.#deps.emit({ ...emptyDelta(this.#serverId), events: [this.#missedNotice()] });
  }

  #missedNotice(): ServerDelta['events'][number] {
    const message = `Events of ${this.#serverId} may be missing because a message of its node was lost.`;
    return eventsMissedNotice(this.#serverId, message, this.#deps.clock);
  }

  #hasExceededLease(since: number | null): boolean {
    return since !== null && this.#deps.clock.monotonic() - since > this.#deps.leaseMs;
  }
}

function isAfter(a: BusPosition, b: BusPosition): boolean {
  return a.fencingToken === b.fencingToken ? a.seq > b.seq : a.fencingToken > b.fencingToken;
}

function arePositionsEqual(a: BusPosition | null, b: BusPosition | null): boolean {
  return a?.fencingToken === b?.fencingToken && a?.seq === b?.seq;
}
