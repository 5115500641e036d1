import { type Clock, errorMessage, isoTimestamp, type Logger } from '../../shared/index.js';
import {
  hasStateChanges,
  emptyDelta,
  type ServerDelta,
  type ServerSnapshot,
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
  /** Lifetime of a snapshot in Redis without writes and renewals, in milliseconds. */
  readonly snapshotTtlMs: number;
  /** Returns why the server is stale because of its owner. Null if its owner renews its lease. */
  readonly silenceOf: (serverId: string) => string | null;
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
  /** Newest position that the store has had. Null before the first. */
  #newestRead: BusPosition | null = null;

  constructor(serverId: string, deps: ServerFollowerDeps) {
    this.#serverId = serverId;
    this.#deps = deps;
  }

  /** Whether the snapshot has been missing from Redis for so long that its owner would have rewritten it. */
  get hasExpired(): boolean {
    const { clock, leaseMs } = this.#deps;
    return this.#missingSince !== null && clock.monotonic() - this.#missingSince > leaseMs;
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
      this.#setPosition({ fencingToken: message.fencingToken, seq: message.seq });
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
    const { link, silenceOf } = this.#deps;
    const before = this.#position;
    const at = await link.commands.hget(link.keys.key(this.#serverId, 'snapshot'), 'at');
    this.#reportMissedEvents();
    const silence = silenceOf(this.#serverId);
    if (silence !== null) {
      this.markStale(silence);
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
    const { store, emit } = this.#deps;
    this.#position = null;
    const snapshot = serverSnapshot(store, this.#serverId);
    if (snapshot === null) return;
    const delta = store.diff(this.#toStale(snapshot, reason), null);
    if (hasStateChanges(delta)) emit(delta);
  }

  #toStale(snapshot: ServerSnapshot, reason: string): ServerSnapshot {
    const { store, clock } = this.#deps;
    const { server } = snapshot;
    const staleSince = store.servers.get(this.#serverId)?.staleSince ?? server.staleSince ?? isoTimestamp(clock);
    const stale = { ...server, status: 'OFFLINE' as const, stale: true, staleSince, lastError: reason };
    return toStaleSnapshot(snapshot, stale, store.serverLastSeenAt(this.#serverId));
  }

  #setPosition(position: BusPosition): void {
    this.#position = position;
    this.#newestRead = position;
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
    const { link, store, clock, emit, snapshotTtlMs, silenceOf } = this.#deps;
    const stored = await readStoredSnapshot(link, this.#serverId, snapshotTtlMs);
    this.#deps.onGap();
    if (stored === null) {
      this.#missingSince ??= clock.monotonic();
      this.#position = null;
      return;
    }
    this.#missingSince = null;
    if (this.#newestRead !== null && isAfter(this.#newestRead, stored.at)) {
      // Its owner replaces an old snapshot at the next renewal.
      link.refusals.count('replayed', link.keys.key(this.#serverId, 'snapshot'));
      this.#position = null;
      return;
    }
    this.#setPosition(stored.at);
    this.#eventsPosition ??= stored.at;
    const silence = silenceOf(this.#serverId);
    // Messages are not applied to a stale snapshot, because they do not end its staleness.
    if (silence !== null) this.#position = null;
    const snapshot = silence === null ? stored.snapshot : this.#toStale(stored.snapshot, silence);
    const delta = { ...store.diff(snapshot, stored.seenAt), publishedAtMs: stored.atMs };
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
}

function isAfter(a: BusPosition, b: BusPosition): boolean {
  return a.fencingToken === b.fencingToken ? a.seq > b.seq : a.fencingToken > b.fencingToken;
}

function arePositionsEqual(a: BusPosition | null, b: BusPosition | null): boolean {
  return a?.fencingToken === b?.fencingToken && a?.seq === b?.seq;
}
