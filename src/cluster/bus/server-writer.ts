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
import { REMOVE_SNAPSHOT, WRITE_SNAPSHOT } from '../redis/redis-script.js';
import { snapshotFields, formatPosition, removedFields } from './stored-snapshot.js';
import { createMessageBody, encodeBusMessage } from './bus-message.js';

export interface ServerWriterDeps {
  readonly link: RedisConnection;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a picture stays in Redis that nobody writes or renews. */
  readonly snapshotTtlMs: number;
  /** Another node has a newer term: this one no longer watches the server. */
  readonly onFenced: (serverId: string) => void;
  /** A picture has been written as a whole: the server may not be in the list of servers. */
  readonly onSnapshotWritten: () => void;
  /** All up to a revision of the store is in Redis, and was told to the others at that time of Redis. */
  readonly onWritten: (written: WriteConfirmation) => void;
}

export interface WriteConfirmation {
  readonly serverId: string;
  readonly revision: number;
  /** By the clock of Redis, milliseconds since the epoch. */
  readonly atMs: number;
}

/** That a server which has not changed was asked again is told so often, milliseconds. */
const SEEN_AGAIN_MS = 1_000;

/**
 * Writes one server, which this node holds, to Redis and tells the others. What is not written yet is nowhere but in
 * the store: this keeps a cursor. While one write is under way, or Redis is away, changes come together.
 */
export class ServerWriter implements AsyncDisposable {
  readonly fencingToken: number;
  readonly #deps: ServerWriterDeps;
  readonly #serverId: string;
  /** Of the last message that all were surely told, and what it told. */
  #basis = 0;
  #cursor: ServerCursor;
  #sentSeenAt: string | null = null;
  #toldAtMs = -Infinity;
  /** Of the last message; a number whose outcome is not known is not used again. */
  #seq = 0;
  /** Where the picture in Redis stands; `null`: it has to be written as a whole. */
  #at: string | null = null;
  #isPublished = false;
  #hasFailed = false;
  #isEnded = false;
  #pendingWrite: Promise<void> | null = null;

  /** @param events where the first event stands that is to be told */
  constructor(serverId: string, term: number, events: number, deps: ServerWriterDeps) {
    this.#serverId = serverId;
    this.fencingToken = term;
    this.#cursor = { revision: -1, events };
    this.#deps = deps;
  }

  /** Something of the server may have changed. */
  scheduleWrite(): void {
    this.#isPublished = true;
    if (this.#pendingWrite !== null || this.#isEnded || !this.#deps.link.isUp) return;
    this.#pendingWrite = this.#writeAll().finally(() => {
      this.#pendingWrite = null;
      // Told between the last look and now.
      if (this.#isPublished && !this.#hasFailed) this.scheduleWrite();
    });
  }

  /** Looks whether the picture in Redis is still the one that was written, and keeps it for a while longer. */
  async renew(): Promise<void> {
    const { link, snapshotTtlMs } = this.#deps;
    const before = this.#at;
    const key = link.keys.key(this.#serverId, 'picture');
    if (this.#isIdleAt(before)) {
      const [at] = await Promise.all([link.commands.hget(key, 'at'), link.commands.pexpire(key, snapshotTtlMs)]);
      // While a write is under way either answer would be right.
      if (at !== before && this.#isIdleAt(before)) this.#at = null;
    }
    this.scheduleWrite();
  }

  /** Resolves when what was told before is written, or cannot be for now. */
  async flush(): Promise<void> {
    await this.#pendingWrite;
  }

  /** Nothing is begun any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#pendingWrite;
  }

  #isIdleAt(at: string | null): boolean {
    return at !== null && this.#at === at && this.#pendingWrite === null;
  }

  async #writeAll(): Promise<void> {
    const { link, logger } = this.#deps;
    this.#hasFailed = false;
    while (this.#isPublished && !this.#isEnded && link.isUp) {
      this.#isPublished = false;
      try {
        await this.#write();
      } catch (error) {
        // It is tried again with the next change, when the link is up again, and at each renewal.
        this.#isPublished = true;
        this.#hasFailed = true;
        logger.debug(
          { serverId: this.#serverId, error: errorMessage(error) },
          'a change could not be written to Redis',
        );
        return;
      }
    }
  }

  async #write(): Promise<void> {
    const { link, store, clock, onWritten } = this.#deps;
    const changes = serverChangesSince(store, this.#serverId, this.#cursor);
    const seenAt = store.serverLastSeenAt(this.#serverId);
    const isGone = store.servers.get(this.#serverId) === undefined;
    if ((this.#at !== null || isGone) && !this.#isWorthTelling(changes, seenAt)) return;
    const seq = (this.#seq += 1);
    const atMs = await this.#commit(changes, seq, isGone);
    if (atMs === null) return;
    const events = this.#eventsOf(changes);
    const body = isGone
      ? { x: 1 as const, ...(events.length > 0 && { v: events }) }
      : createMessageBody(this.#serverId, changes, { seq, basis: this.#basis, events });
    await link.publish(
      link.keys.changes(this.#serverId),
      encodeBusMessage({ fencingToken: this.fencingToken, seq, atMs, nodeId: link.nodeId, body }),
    );
    this.#basis = seq;
    this.#cursor = changes.cursor;
    this.#sentSeenAt = seenAt;
    this.#toldAtMs = clock.monotonic();
    onWritten({ serverId: this.#serverId, revision: changes.cursor.revision, atMs });
  }

  #isWorthTelling(changes: ServerChanges, seenAt: string | null): boolean {
    if (changes.kind === 'SNAPSHOT' || changes.missedEvents > 0 || changes.delta.events.length > 0) return true;
    if (hasStateChanges(changes.delta)) return true;
    return seenAt !== this.#sentSeenAt && this.#deps.clock.monotonic() - this.#toldAtMs >= SEEN_AGAIN_MS;
  }

  /** @returns the time, or `null` when this node is no longer the one to write, or there is nothing to write */
  async #commit(changes: ServerChanges, seq: number, isGone: boolean): Promise<number | null> {
    const { link, store, snapshotTtlMs } = this.#deps;
    const { commands, keys: names } = link;
    const keys = [names.key(this.#serverId, 'picture'), names.key(this.#serverId, 'term')];
    const next = formatPosition({ fencingToken: this.fencingToken, seq });
    const write = (at: string, set: readonly string[], removed: readonly string[]): Promise<unknown> =>
      WRITE_SNAPSHOT.run(commands, keys, [this.fencingToken, at, next, snapshotTtlMs, set.length, ...set, ...removed]);
    let answer: unknown = 'GAP';
    if (isGone) {
      answer = await REMOVE_SNAPSHOT.run(commands, keys, [this.fencingToken]);
      if (answer !== 'FENCED') await commands.zrem(names.shared('servers'), this.#serverId);
    } else if (changes.kind === 'DELTA' && this.#at !== null) {
      const { delta } = changes;
      answer = await write(this.#at, snapshotFields(delta, delta.seenAt), removedFields(delta));
    }
    if (answer === 'GAP') {
      const picture = serverSnapshot(store, this.#serverId);
      // Removed just now: that is told next.
      if (picture === null) return null;
      answer = await write('', snapshotFields(picture, store.serverLastSeenAt(this.#serverId)), []);
      if (answer !== 'FENCED') this.#deps.onSnapshotWritten();
    }
    if (answer === 'FENCED') {
      this.#isEnded = true;
      this.#deps.onFenced(this.#serverId);
      return null;
    }
    const atMs = Number(answer);
    if (!Number.isSafeInteger(atMs)) throw new Error(`Redis answered ${String(answer)}`);
    this.#at = next;
    return atMs;
  }

  #eventsOf(changes: ServerChanges): SwarmlensEvent[] {
    const events = changes.kind === 'SNAPSHOT' ? changes.events : changes.delta.events;
    if (changes.missedEvents === 0) return [...events];
    const message = `${changes.missedEvents} events were forgotten before they could be told to other nodes`;
    return [eventsMissedNotice(this.#serverId, message, this.#deps.clock), ...events];
  }
}
