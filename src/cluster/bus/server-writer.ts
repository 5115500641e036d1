import type { SwarmlensEvent } from '../../model/index.js';
import { type Clock, errorMessage, type Logger } from '../../shared/index.js';
import {
  hasStateChanges,
  type ServerChanges,
  serverChangesSince,
  type ServerCursor,
  serverSnapshot,
  type Store,
} from '../../state/index.js';
import { eventsMissedNotice } from './bus.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { RENEW_SNAPSHOT, REMOVE_SNAPSHOT, WRITE_SNAPSHOT } from '../redis/redis-script.js';
import { MessageTooLongError } from '../redis/envelope.js';
import type { HashSum } from '../redis/seal.js';
import { changedSum, formatPosition, removedFields, signatureFields, snapshotFields } from './stored-snapshot.js';
import { type BusMessageBody, createMessageBody, encodeBusMessage } from './bus-message.js';

export interface ServerWriterDeps {
  readonly link: RedisConnection;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lifetime of a snapshot in Redis without writes and renewals, in milliseconds. */
  readonly snapshotTtlMs: number;
  /** Called when a write is rejected because another node has a newer fencing token. */
  readonly onFenced: (serverId: string) => void;
  /** Called after a complete snapshot was written, because the server may be missing from the list of servers. */
  readonly onSnapshotWritten: () => void;
  /** Called when everything up to a revision of the store is in Redis and published. */
  readonly onWritten: (written: WriteConfirmation) => void;
}

export interface WriteConfirmation {
  readonly serverId: string;
  readonly revision: number;
  /** Time of publication in milliseconds since the epoch, by the Redis clock. */
  readonly atMs: number;
}

/** Interval in milliseconds at which `seenAt` of an unchanged server is published. */
const SEEN_AGAIN_MS = 1_000;

/**
 * Writes the changes of one owned server to Redis and publishes them. Keeps a cursor instead of a queue: unwritten changes exist
 * only in the store, and are conflated during a write or while Redis is unavailable.
 */
export class ServerWriter implements AsyncDisposable {
  readonly fencingToken: number;
  readonly #deps: ServerWriterDeps;
  readonly #serverId: string;
  /** Number of the last message that all nodes certainly received. */
  #basis = 0;
  #cursor: ServerCursor;
  #sentSeenAt: string | null = null;
  #sentAtMs = -Infinity;
  /** Number of the last message. Not reused if the outcome of a write is unknown. */
  #seq = 0;
  /** Position of the snapshot in Redis. Null if a complete snapshot must be written. */
  #storedPosition: string | null = null;
  /** Sum of the snapshot in Redis, for its signature. Null if nothing is signed. */
  #storedSum: HashSum | null = null;
  #hasPendingChanges = false;
  #hasFailed = false;
  #isClosed = false;
  #pendingWrite: Promise<void> | null = null;

  /** @param events positions of the first event and of the first message to publish */
  constructor(
    serverId: string,
    fencingToken: number,
    events: Pick<ServerCursor, 'events' | 'messages'>,
    deps: ServerWriterDeps,
  ) {
    this.#serverId = serverId;
    this.fencingToken = fencingToken;
    this.#cursor = { ...events, revision: -1 };
    this.#deps = deps;
  }

  /** Schedules a write because the server may have changed. */
  scheduleWrite(): void {
    this.#hasPendingChanges = true;
    if (this.#pendingWrite !== null || this.#isClosed || !this.#deps.link.isUp) return;
    this.#pendingWrite = this.#writeAll().finally(() => {
      this.#pendingWrite = null;
      // A change may have been published since the last check.
      if (this.#hasPendingChanges && !this.#hasFailed) this.scheduleWrite();
    });
  }

  /** Extends the lifetime of the snapshot in Redis and signs it again. Rewrites the snapshot if another one is stored. */
  async renew(): Promise<void> {
    const { link, snapshotTtlMs } = this.#deps;
    const position = this.#storedPosition;
    if (position !== null && !this.#isClosed && this.#isIdleAt(position)) {
      const sum = this.#storedSum?.sum ?? '';
      const key = link.keys.key(this.#serverId, 'snapshot');
      const signature = signatureFields(link, this.#serverId, { at: position, sum });
      const answer = await RENEW_SNAPSHOT.run(link.commands, [key], [position, snapshotTtlMs, ...signature]);
      // The answer is ambiguous while a write is in progress.
      if (answer === 'GAP' && this.#isIdleAt(position)) this.#storedPosition = null;
    }
    this.scheduleWrite();
  }

  /** Resolves when earlier changes are written, or cannot be written for now. */
  async flush(): Promise<void> {
    await this.#pendingWrite;
  }

  /** Completes the pending write and starts no further one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#pendingWrite;
  }

  #isIdleAt(at: string | null): boolean {
    return at !== null && this.#storedPosition === at && this.#pendingWrite === null;
  }

  async #writeAll(): Promise<void> {
    const { link, logger } = this.#deps;
    this.#hasFailed = false;
    while (this.#hasPendingChanges && !this.#isClosed && link.isUp) {
      this.#hasPendingChanges = false;
      try {
        await this.#write();
      } catch (error) {
        // The write is retried with the next change, after a reconnect, and at each renewal.
        this.#hasPendingChanges = true;
        this.#hasFailed = true;
        logger.debug({ serverId: this.#serverId, error: errorMessage(error) }, 'could not write a change to Redis');
        return;
      }
    }
  }

  async #write(): Promise<void> {
    const { link, store, clock, onWritten } = this.#deps;
    const changes = serverChangesSince(store, this.#serverId, this.#cursor);
    const seenAt = store.serverLastSeenAt(this.#serverId);
    const isGone = store.servers.get(this.#serverId) === undefined;
    if ((this.#storedPosition !== null || isGone) && !this.#needsPublishing(changes, seenAt)) return;
    const seq = (this.#seq += 1);
    const atMs = await this.#commit(changes, seq, isGone);
    if (atMs === null) return;
    const events = this.#eventsIn(changes);
    const body = isGone
      ? { x: 1 as const, ...(events.length > 0 && { v: events }) }
      : createMessageBody(this.#serverId, changes, { seq, basis: this.#basis, events });
    const publish = (content: BusMessageBody): Promise<void> => {
      const message = encodeBusMessage({ fencingToken: this.fencingToken, seq, atMs, body: content });
      return link.publish(link.keys.changes(this.#serverId), message);
    };
    try {
      await publish(body);
    } catch (error) {
      if (!(error instanceof MessageTooLongError)) throw error;
      const text = `${events.length} events were too large for a message between nodes`;
      const lost = events.length === 0 ? [] : [eventsMissedNotice(this.#serverId, text, clock)];
      await publish({ g: 1, ...(lost.length > 0 && { v: lost }) });
    }
    this.#basis = seq;
    this.#cursor = changes.cursor;
    this.#sentSeenAt = seenAt;
    this.#sentAtMs = clock.monotonic();
    onWritten({ serverId: this.#serverId, revision: changes.cursor.revision, atMs });
  }

  #needsPublishing(changes: ServerChanges, seenAt: string | null): boolean {
    if (changes.kind === 'SNAPSHOT' || changes.missedEvents > 0 || changes.delta.events.length > 0) return true;
    if (hasStateChanges(changes.delta)) return true;
    return seenAt !== this.#sentSeenAt && this.#deps.clock.monotonic() - this.#sentAtMs >= SEEN_AGAIN_MS;
  }

  /** Writes the changes and returns the Redis time. Null if the write was fenced off, or if there is nothing to write. */
  async #commit(changes: ServerChanges, seq: number, isGone: boolean): Promise<number | null> {
    const { link, store, snapshotTtlMs } = this.#deps;
    const { commands, keys: names } = link;
    const keys = [names.key(this.#serverId, 'snapshot'), names.key(this.#serverId, 'fence')];
    const next = formatPosition({ fencingToken: this.fencingToken, seq });
    const write = async (
      sum: HashSum | null,
      at: string,
      { set, removed }: { readonly set: readonly string[]; readonly removed: readonly string[] },
    ): Promise<unknown> => {
      const changed = await changedSum(sum, set, removed);
      const all = [...set, ...signatureFields(link, this.#serverId, { at: next, sum: changed?.sum ?? '' })];
      const head = [this.fencingToken, at, next, snapshotTtlMs, all.length];
      const written = await WRITE_SNAPSHOT.run(commands, keys, [...head, ...all, ...removed]);
      if (written === 'GAP' || written === 'FENCED') return written;
      changed?.apply();
      this.#storedSum = sum;
      return written;
    };
    let answer: unknown = 'GAP';
    if (isGone) {
      answer = await REMOVE_SNAPSHOT.run(commands, keys, [this.fencingToken]);
      if (answer !== 'FENCED') await commands.zrem(names.shared('servers'), this.#serverId);
    } else if (changes.kind === 'DELTA' && this.#storedPosition !== null) {
      const { delta } = changes;
      const set = snapshotFields(delta, delta.seenAt);
      answer = await write(this.#storedSum, this.#storedPosition, { set, removed: removedFields(delta) });
    }
    if (answer === 'GAP') {
      const snapshot = serverSnapshot(store, this.#serverId);
      // The server was just removed; the next write publishes the removal.
      if (snapshot === null) return null;
      const set = snapshotFields(snapshot, store.serverLastSeenAt(this.#serverId));
      answer = await write(link.seal.createSum(), '', { set, removed: [] });
      if (answer !== 'FENCED') this.#deps.onSnapshotWritten();
    }
    if (answer === 'FENCED') {
      this.#isClosed = true;
      this.#deps.onFenced(this.#serverId);
      return null;
    }
    const atMs = Number(answer);
    if (!Number.isSafeInteger(atMs)) throw new Error(`unexpected answer of Redis: ${String(answer)}`);
    this.#storedPosition = next;
    return atMs;
  }

  #eventsIn(changes: ServerChanges): SwarmlensEvent[] {
    const events = changes.kind === 'SNAPSHOT' ? changes.events : changes.delta.events;
    if (changes.missedEvents === 0) return [...events];
    const message = `${changes.missedEvents} events were dropped before other nodes received them`;
    return [eventsMissedNotice(this.#serverId, message, this.#deps.clock), ...events];
  }
}
