import { type Clock, messageOf, timestamp } from '../shared/index.js';
import { changesState, emptyChange, type ServerChange, serverPicture, staleCopy, type Store } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';
import { eventsMissed } from './events-missed.js';
import type { RedisLink } from './redis-link.js';
import { parsePosition, readPicture } from './stored-picture.js';
import { basisOf, changeOf, type WireMessage, type WirePosition } from './wire.js';

export interface FollowedDeps {
  readonly link: RedisLink;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** Has the change committed before it returns. */
  readonly emit: (change: ServerChange) => void;
  /** Something of a server may have come and gone without having been told here. */
  readonly onGap: () => void;
}

/**
 * One server that another node holds: its messages are applied in their order; whenever one does not fit, the picture
 * in Redis is read instead. So no message is ever waited for, and none is kept.
 */
export class Followed {
  readonly #deps: FollowedDeps;
  readonly #serverId: string;
  /** What the store shows; `null`: nothing that a message could build on. */
  #position: WirePosition | null = null;
  /** Up to where events have come. */
  #eventsAt: WirePosition | null = null;
  /** Of all messages that came while the picture was being read. */
  #newest: WirePosition | null = null;
  /** What the store showed when a look last found something newer in Redis. */
  #lagging: WirePosition | null = null;
  #reading: Promise<void> | null = null;
  #isToRead = false;
  #missingSince: number | null = null;
  #unwatchedSince: number | null = null;

  constructor(serverId: string, deps: FollowedDeps) {
    this.#serverId = serverId;
    this.#deps = deps;
  }

  /** The picture has been missing from Redis for so long that its holder would have written it again. */
  get isGone(): boolean {
    return this.#hasLasted(this.#missingSince);
  }

  /** @param message `null`: one that cannot be read */
  receive(message: WireMessage | null): void {
    const { store, emit } = this.#deps;
    if (message === null) {
      this.#startReading();
      return;
    }
    const events = this.#eventsOf(message);
    const isOld = this.#position !== null && !isAfter(message, this.#position);
    const change = isOld || !this.#fits(message) ? null : changeOf(store, this.#serverId, message);
    if (change !== null) {
      this.#position = { term: message.term, seq: message.seq };
      emit({ ...change, events });
      return;
    }
    if (events.length > 0) emit({ ...emptyChange(this.#serverId), events, atMs: message.atMs });
    if (isOld) return;
    if (this.#reading === null) this.#startReading();
    else if (this.#newest === null || isAfter(message, this.#newest)) this.#newest = message;
  }

  /**
   * Brings the store to the picture in Redis. Only one reading is under way; one that is asked for meanwhile is done
   * once more afterwards. Never rejects: what failed is tried again at the next look.
   */
  read(): Promise<void> {
    this.#isToRead = true;
    this.#reading ??= this.#readAll().finally(() => (this.#reading = null));
    return this.#reading;
  }

  /**
   * Compares with Redis, and reads what is behind for the second time: a message that was lost is found here.
   * @returns whether the store has what had been published by then
   */
  async look(): Promise<boolean> {
    const { link, clock } = this.#deps;
    const before = this.#position;
    const [at, lease] = await Promise.all([
      link.commands.hget(link.names.key(this.#serverId, 'picture'), 'at'),
      link.commands.exists(link.names.key(this.#serverId, 'lease')),
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
    await this.read();
    return this.#position !== null;
  }

  /** The last known values go on, marked as such, until the picture has been read again. */
  markStale(reason: string): void {
    const { store, clock, emit } = this.#deps;
    this.#position = null;
    const picture = serverPicture(store, this.#serverId);
    if (picture === null) return;
    const { server } = picture;
    const stale = { ...server, status: 'OFFLINE' as const, stale: true, lastError: reason };
    const since = { staleSince: server.staleSince ?? timestamp(clock) };
    const seenAt = store.serverSeenAt(this.#serverId);
    const change = store.diff(staleCopy(picture, { ...stale, ...since }, seenAt), null);
    if (changesState(change)) emit(change);
  }

  #startReading(): void {
    // Never rejects.
    this.read().catch(() => undefined);
  }

  /** Whether the store is where the message builds on. */
  #fits(message: WireMessage): boolean {
    const { body, term } = message;
    if (this.#reading !== null) return false;
    if (body.x === 1) return true;
    const position = this.#position;
    return body.g === undefined && position?.term === term && position.seq >= basisOf(message);
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
      logger.debug({ serverId: this.#serverId, error: messageOf(error) }, 'a picture could not be read from Redis');
    }
  }

  async #readOnce(): Promise<void> {
    const { link, store, clock, emit } = this.#deps;
    const stored = await readPicture(link, this.#serverId);
    this.#deps.onGap();
    if (stored === null) {
      this.#missingSince ??= clock.monotonic();
      this.#position = null;
      return;
    }
    this.#missingSince = null;
    this.#position = stored.at;
    this.#eventsAt ??= stored.at;
    const change = { ...store.diff(stored.picture, stored.seenAt), atMs: stored.atMs };
    if (changesState(change) || stored.seenAt !== store.serverSeenAt(this.#serverId)) emit(change);
  }

  /** Those that have not come yet. */
  #eventsOf(message: WireMessage): ServerChange['events'] {
    const { term, seq, body } = message;
    const last = this.#eventsAt;
    if (last !== null && !isAfter({ term, seq }, last)) return [];
    this.#eventsAt = { term, seq };
    const { v = [] } = body;
    const isGap = last !== null && basisOf(message) > (last.term === term ? last.seq : 0);
    return isGap ? [this.#missed(), ...v] : v;
  }

  /** Whatever was told up to the picture that the last look found has come, or will not. */
  #missEvents(): void {
    const position = this.#position;
    if (position === null || this.#eventsAt === null || !isAfter(position, this.#eventsAt)) return;
    this.#eventsAt = position;
    this.#deps.emit({ ...emptyChange(this.#serverId), events: [this.#missed()] });
  }

  #missed(): ServerChange['events'][number] {
    const message = `events of ${this.#serverId} may have been missed: a message of its node was lost`;
    return eventsMissed(this.#serverId, message, this.#deps.clock);
  }

  #hasLasted(since: number | null): boolean {
    return since !== null && this.#deps.clock.monotonic() - since > this.#deps.leaseMs;
  }
}

function isAfter(a: WirePosition, b: WirePosition): boolean {
  return a.term === b.term ? a.seq > b.seq : a.term > b.term;
}

function isSame(a: WirePosition | null, b: WirePosition | null): boolean {
  return a?.term === b?.term && a?.seq === b?.seq;
}
