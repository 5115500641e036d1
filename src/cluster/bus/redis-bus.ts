import { z } from 'zod';
import { type Clock, Emitter, errorMessage, WakeSignal, type Logger } from '../../shared/index.js';
import type { ServerDelta, Store } from '../../state/index.js';
import type { Bus, FencingTokens } from './bus.js';
import { ServerFollower, type ServerFollowerDeps } from './server-follower.js';
import { ServerWriter, type ServerWriterDeps, type WriteConfirmation } from './server-writer.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { LIST_SERVERS } from '../redis/redis-script.js';
import { parseBusMessage } from './bus-message.js';

export interface RedisBusOptions {
  readonly link: RedisConnection;
  /** That the first subscriber commits every change to. */
  readonly store: Store;
  readonly fencingTokens: FencingTokens;
  /** How long a node that holds a server may be silent, milliseconds. */
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Another node has a newer term for a server that this node believes to hold. */
  readonly onFenced: (serverId: string) => void;
}

export interface RedisBusStats {
  /** Messages that this node has sent, and that have come from others. */
  readonly published: number;
  readonly received: number;
  /** Times that the picture of a server was read as a whole. */
  readonly resyncs: number;
  /** Of the message that came last, from its publication until it was here, by the clocks of Redis and of this machine; `null`: none came yet. */
  readonly lagMs: number | null;
}

/** A picture that nobody renews stays so many lease times. */
const LIFE_LEASES = 12;
/** In one lease time it is looked so often at least whether everything is as it should be, */
const LOOKS_PER_LEASE = 3;
/** and after this at the latest: readers of other nodes can go on here from where the last look was. */
const MAX_LOOK_MS = 1_000;
const UNREADABLE_LOG_MS = 60_000;
/** What `LIST_SERVERS` returns. */
const LISTED = z.tuple([z.coerce.number(), z.array(z.string())]);

/**
 * Many nodes: each writes the servers that it holds, and follows the others'. Neither keeps a queue: what is to be
 * written is read from the store by a cursor, and what was missed is read from the picture in Redis.
 */
export class RedisBus implements Bus {
  readonly #options: RedisBusOptions;
  readonly #listeners = new Emitter<ServerDelta>();
  readonly #writes = new Emitter<WriteConfirmation>();
  readonly #writers = new Map<string, ServerWriter>();
  readonly #followers = new Map<string, ServerFollower>();
  readonly #outletDeps: ServerWriterDeps;
  readonly #followedDeps: ServerFollowerDeps;
  readonly #wakeSignal: WakeSignal;
  readonly #end = new AbortController();
  readonly #linkChanges: Disposable;
  readonly #subscribed: Promise<AsyncDisposable | null>;
  readonly #looking: Promise<void>;
  readonly #counts = { published: 0, received: 0, resyncs: 0 };
  #lagMs: number | null = null;
  #isSubscribed = false;
  #unreadableAtMs = -Infinity;

  constructor(options: RedisBusOptions) {
    const { link, leaseMs, onFenced, store } = options;
    this.#options = options;
    this.#outletDeps = {
      ...options,
      snapshotTtlMs: leaseMs * LIFE_LEASES,
      onFenced,
      onSnapshotWritten: () => this.#wakeSignal.wake(),
      onWritten: (written) => {
        this.#counts.published += 1;
        store.timeline?.markPublished(written);
        this.#safely(() => this.#writes.emit(written));
      },
    };
    this.#followedDeps = {
      ...options,
      emit: (change) => this.#safely(() => this.#listeners.emit(change)),
      onGap: () => {
        this.#counts.resyncs += 1;
        this.#interrupted();
      },
    };
    this.#wakeSignal = new WakeSignal(options.clock);
    this.#linkChanges = link.onChange(() => this.#onLinkChange());
    this.#subscribed = this.#subscribe();
    this.#looking = this.#lookAgain(this.#end.signal);
  }

  async publish(change: ServerDelta): Promise<void> {
    try {
      this.#listeners.emit(change);
    } finally {
      this.#outletOf(change.serverId, change.events.length)?.scheduleWrite();
    }
  }

  subscribe(callback: (change: ServerDelta) => void): Disposable {
    return this.#listeners.add(callback);
  }

  /** Calls back when what was published of a server is in Redis. */
  onWrite(callback: (written: WriteConfirmation) => void): Disposable {
    return this.#writes.add(callback);
  }

  /** What there has been to do, since the start. */
  stats(): RedisBusStats {
    return { ...this.#counts, lagMs: this.#lagMs };
  }

  /** Resolves when what was published of a server before is in Redis, or cannot be for now. */
  async flush(serverId: string): Promise<void> {
    await this.#writers.get(serverId)?.flush();
  }

  /** Resolves when the store has the newest picture of a server, or it cannot be had for now. */
  async pull(serverId: string): Promise<void> {
    if (!this.#options.link.isUp) return;
    await (this.#followers.get(serverId) ?? new ServerFollower(serverId, this.#followedDeps)).resync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#linkChanges[Symbol.dispose]();
    await this.#looking;
    for (const outlet of this.#writers.values()) await outlet[Symbol.asyncDispose]();
    // While Redis is away this waits for the link, which may be closed after the bus.
    const left = this.#subscribed.then((subscription) => subscription?.[Symbol.asyncDispose]());
    if (this.#isSubscribed) await left;
  }

  async #subscribe(): Promise<AsyncDisposable | null> {
    const { link, logger } = this.#options;
    try {
      const subscription = await link.subscribe(
        link.keys.allChanges,
        (message, channel) => this.#receive(message, channel),
        { pattern: true },
      );
      this.#isSubscribed = true;
      // What was told before is not known.
      this.#wakeSignal.wake();
      return subscription;
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'changes of other nodes are not subscribed');
      return null;
    }
  }

  #receive(value: unknown, channel: string): void {
    const { link, fencingTokens, clock } = this.#options;
    const serverId = link.keys.parseServerId(channel);
    if (serverId === null || this.#end.signal.aborted) return;
    const message = parseBusMessage(value, serverId);
    if (message === null) this.#logUnreadable(channel);
    // A holder is told by its own writes, and by its lease, that it no longer is one.
    if (message?.nodeId === link.nodeId || fencingTokens.tokenOf(serverId) !== null) return;
    this.#counts.received += 1;
    if (message !== null) this.#lagMs = Math.max(0, clock.now() - message.atMs);
    this.#follow(serverId).receive(message);
  }

  #onLinkChange(): void {
    const { link } = this.#options;
    this.#interrupted();
    if (link.isUp) {
      this.#wakeSignal.wake();
      return;
    }
    this.#sortServers();
    for (const followed of this.#followers.values())
      followed.markStale(`Redis is away: ${link.failureReason ?? 'unknown'}`);
  }

  async #lookAgain(signal: AbortSignal): Promise<void> {
    const { link, leaseMs, logger } = this.#options;
    while (!signal.aborted) {
      if (link.isUp) {
        await this.#look().catch((error: unknown) =>
          logger.debug({ error: errorMessage(error) }, 'Redis was not asked'),
        );
      }
      await this.#wakeSignal.wait(Math.min(leaseMs / LOOKS_PER_LEASE, MAX_LOOK_MS), signal);
    }
  }

  async #look(): Promise<void> {
    const { link, store, fencingTokens, leaseMs } = this.#options;
    const held = this.#sortServers();
    const listed = await LIST_SERVERS.run(
      link.commands,
      [link.keys.shared('servers')],
      [leaseMs * LIFE_LEASES, ...held],
    );
    const [time, ids] = LISTED.parse(listed);
    for (const id of ids) if (fencingTokens.tokenOf(id) === null) this.#follow(id);
    const [areCurrent] = await Promise.all([
      Promise.all([...this.#followers.values()].map((followed) => followed.verify())),
      Promise.all([...this.#writers.values()].map((outlet) => outlet.renew())),
    ]);
    if (areCurrent.every(Boolean)) store.timeline?.markComplete(time);
    for (const [id, followed] of this.#followers) {
      if (!followed.hasExpired || fencingTokens.tokenOf(id) !== null) continue;
      this.#followers.delete(id);
      if (store.servers.get(id) !== undefined) this.#followedDeps.emit(store.removalDelta(id));
    }
  }

  #interrupted(): void {
    const { store, fencingTokens } = this.#options;
    store.timeline?.markGap((serverId) => fencingTokens.tokenOf(serverId) !== null);
  }

  /** Whatever this node holds now is written, everything else followed. @returns what it holds */
  #sortServers(): readonly string[] {
    const { store, fencingTokens } = this.#options;
    for (const [id, outlet] of this.#writers) {
      if (fencingTokens.tokenOf(id) !== outlet.fencingToken) this.#drop(id, outlet);
    }
    for (const id of this.#followers.keys()) if (fencingTokens.tokenOf(id) !== null) this.#followers.delete(id);
    const held: string[] = [];
    for (const { id } of store.servers.values()) {
      if (this.#outletOf(id, 0) === null) this.#follow(id);
      else held.push(id);
    }
    return held;
  }

  #follow(serverId: string): ServerFollower {
    let followed = this.#followers.get(serverId);
    if (followed === undefined) {
      followed = new ServerFollower(serverId, this.#followedDeps);
      this.#followers.set(serverId, followed);
    }
    return followed;
  }

  /**
   * @param newEvents that have been published and are not told yet
   * @returns `null` when this node does not hold the server
   */
  #outletOf(serverId: string, newEvents: number): ServerWriter | null {
    const { store, fencingTokens } = this.#options;
    const term = fencingTokens.tokenOf(serverId);
    if (term === null) return null;
    let outlet = this.#writers.get(serverId);
    if (outlet?.fencingToken !== term) {
      if (outlet !== undefined) this.#drop(serverId, outlet);
      outlet = new ServerWriter(serverId, term, store.events.end - newEvents, this.#outletDeps);
      this.#writers.set(serverId, outlet);
    }
    return outlet;
  }

  #drop(serverId: string, outlet: ServerWriter): void {
    this.#writers.delete(serverId);
    // A write under way ends by itself.
    outlet[Symbol.asyncDispose]().catch(() => undefined);
  }

  #logUnreadable(channel: string): void {
    const { clock, logger } = this.#options;
    if (clock.monotonic() - this.#unreadableAtMs < UNREADABLE_LOG_MS) return;
    this.#unreadableAtMs = clock.monotonic();
    logger.warn({ channel }, 'a message of another node cannot be read: the picture in Redis is read instead');
  }

  /** One that fails must not keep the others from being told. */
  #safely(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#options.logger.error({ error: errorMessage(error) }, 'a listener of the bus failed');
    }
  }
}
