import { z } from 'zod';
import { type Clock, Emitter, errorMessage, WakeSignal, type Logger } from '../../shared/index.js';
import type { ServerDelta, Store } from '../../state/index.js';
import type { Bus, FencingTokens } from './bus.js';
import { ServerFollower, type ServerFollowerDeps } from './server-follower.js';
import { ServerWriter, type ServerWriterDeps, type WriteConfirmation } from './server-writer.js';
import type { MessageSource } from '../redis/channel-subscriptions.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { RECORD_TTL_LEASES } from '../redis/redis-keys.js';
import type { RefusalReason } from '../redis/refusals.js';
import { LIST_SERVERS } from '../redis/redis-script.js';
import { parseBusMessage } from './bus-message.js';

export interface RedisBusOptions {
  readonly link: RedisConnection;
  /** Store to which the first subscriber commits every delta. */
  readonly store: Store;
  readonly fencingTokens: FencingTokens;
  /** Lease duration in milliseconds. */
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when another node has a newer fencing token for a server of this node. */
  readonly onFenced: (serverId: string) => void;
}

export interface RedisBusStats {
  /** Number of messages that this node published. */
  readonly published: number;
  /** Number of messages received from other nodes. */
  readonly received: number;
  /** Number of snapshots read from Redis. */
  readonly resyncs: number;
  /** Delay of the last message in milliseconds, by the clocks of Redis and of this machine. Null before the first. */
  readonly lagMs: number | null;
  /** Number of messages and values in Redis that this node ignored, by reason. */
  readonly refused: ReadonlyMap<RefusalReason, number>;
}

/** Minimum number of verifications per lease duration. */
const CHECKS_PER_LEASE = 2;
/** Maximum interval of verifications in milliseconds. Readers of other nodes can resume from the last verification. */
const MAX_CHECK_INTERVAL_MS = 1_000;
const UNREADABLE_LOG_MS = 60_000;
/** Result of `LIST_SERVERS`. */
const listResultSchema = z.tuple([z.coerce.number(), z.array(z.string())]);

/**
 * Bus of a cluster. Writes the servers that this node owns, and follows all others. Keeps no queues: changes to write are read
 * from the store by a cursor, and missed changes are read from the snapshot in Redis.
 */
export class RedisBus implements Bus {
  readonly #options: RedisBusOptions;
  readonly #listeners = new Emitter<ServerDelta>();
  readonly #writes = new Emitter<WriteConfirmation>();
  readonly #writers = new Map<string, ServerWriter>();
  readonly #followers = new Map<string, ServerFollower>();
  readonly #writerDeps: ServerWriterDeps;
  readonly #followerDeps: ServerFollowerDeps;
  readonly #wakeSignal: WakeSignal;
  readonly #abort = new AbortController();
  readonly #connectionListener: Disposable;
  readonly #subscribed: Promise<AsyncDisposable | null>;
  readonly #loop: Promise<void>;
  readonly #counts = { published: 0, received: 0, resyncs: 0 };
  /** Reasons for which servers of other nodes are stale although Redis is available. */
  readonly #silences = new Map<string, string>();
  #lagMs: number | null = null;
  #isSubscribed = false;
  #unreadableAtMs = -Infinity;

  constructor(options: RedisBusOptions) {
    const { link, leaseMs, onFenced, store } = options;
    this.#options = options;
    this.#writerDeps = {
      ...options,
      snapshotTtlMs: leaseMs * RECORD_TTL_LEASES,
      onFenced,
      onSnapshotWritten: () => this.#wakeSignal.wake(),
      onWritten: (confirmation) => {
        this.#counts.published += 1;
        store.timeline?.markPublished(confirmation);
        this.#callListeners(() => this.#writes.emit(confirmation));
      },
    };
    this.#followerDeps = {
      ...options,
      snapshotTtlMs: leaseMs * RECORD_TTL_LEASES,
      silenceOf: (serverId) => this.#silences.get(serverId) ?? null,
      emit: (delta) => this.#callListeners(() => this.#listeners.emit(delta)),
      onGap: () => {
        this.#counts.resyncs += 1;
        this.#recordGap();
      },
    };
    this.#wakeSignal = new WakeSignal(options.clock);
    this.#connectionListener = link.onChange(() => this.#handleConnectionChange());
    this.#subscribed = this.#subscribe();
    this.#loop = this.#run(this.#abort.signal);
  }

  async publish(delta: ServerDelta): Promise<void> {
    try {
      this.#listeners.emit(delta);
    } finally {
      this.#writerFor(delta.serverId, delta.events)?.scheduleWrite();
    }
  }

  subscribe(callback: (delta: ServerDelta) => void): Disposable {
    return this.#listeners.add(callback);
  }

  /** Calls back when the published changes of a server are in Redis. Dispose to stop. */
  onWrite(callback: (confirmation: WriteConfirmation) => void): Disposable {
    return this.#writes.add(callback);
  }

  /** Returns statistics since the start. */
  stats(): RedisBusStats {
    return { ...this.#counts, lagMs: this.#lagMs, refused: this.#options.link.refusals.counts };
  }

  /** Resolves when earlier changes of a server are in Redis, or cannot be written for now. */
  async flush(serverId: string): Promise<void> {
    await this.#writers.get(serverId)?.flush();
  }

  /** Resolves when the store has the newest snapshot of a server, or cannot read it for now. */
  async pull(serverId: string): Promise<void> {
    if (!this.#options.link.isUp) return;
    await (this.#followers.get(serverId) ?? new ServerFollower(serverId, this.#followerDeps)).resync();
  }

  /** Marks a server of another node as stale until `reason` is null, because its owner stopped renewing its lease. */
  setOwnerSilence(serverId: string, reason: string | null): void {
    if (reason === null) this.#silences.delete(serverId);
    else this.#silences.set(serverId, reason);
    if (this.#options.fencingTokens.tokenOf(serverId) !== null) return;
    const follower = this.#followers.get(serverId);
    if (reason !== null) follower?.markStale(reason);
    // Never rejects.
    else follower?.resync().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#connectionListener[Symbol.dispose]();
    await this.#loop;
    for (const writer of this.#writers.values()) await writer[Symbol.asyncDispose]();
    // While Redis is unavailable, this waits for the connection, which may be closed after the bus.
    const unsubscribed = this.#subscribed.then((subscription) => subscription?.[Symbol.asyncDispose]());
    if (this.#isSubscribed) await unsubscribed;
  }

  async #subscribe(): Promise<AsyncDisposable | null> {
    const { link, logger } = this.#options;
    try {
      const subscription = await link.subscribe(
        link.keys.allChanges,
        (message, source) => this.#receive(message, source),
        { pattern: true },
      );
      this.#isSubscribed = true;
      // Earlier messages were missed.
      this.#wakeSignal.wake();
      return subscription;
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'not subscribed to changes of other nodes');
      return null;
    }
  }

  #receive(value: unknown, { channel, senderId }: MessageSource): void {
    const { link, fencingTokens, clock } = this.#options;
    const serverId = link.keys.parseServerId(channel);
    if (serverId === null || this.#abort.signal.aborted) return;
    const message = parseBusMessage(value, serverId);
    if (message === null) this.#logUnreadable(channel);
    // An owner learns from its writes and its lease that it lost the ownership.
    if (senderId === link.nodeId || fencingTokens.tokenOf(serverId) !== null) return;
    this.#counts.received += 1;
    if (message !== null) this.#lagMs = Math.max(0, clock.now() - message.atMs);
    this.#follow(serverId).receive(message);
  }

  #handleConnectionChange(): void {
    const { link } = this.#options;
    this.#recordGap();
    if (link.isUp) {
      this.#wakeSignal.wake();
      return;
    }
    this.#assignServers();
    for (const follower of this.#followers.values())
      follower.markStale(`Redis unavailable: ${link.failureReason ?? 'unknown reason'}`);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { link, leaseMs, logger } = this.#options;
    while (!signal.aborted) {
      if (link.isUp) {
        await this.#verify().catch((error: unknown) =>
          logger.debug({ error: errorMessage(error) }, 'verification with Redis failed'),
        );
      }
      await this.#wakeSignal.wait(Math.min(leaseMs / CHECKS_PER_LEASE, MAX_CHECK_INTERVAL_MS), signal);
    }
  }

  async #verify(): Promise<void> {
    const { link, store, fencingTokens, leaseMs } = this.#options;
    const owned = this.#assignServers();
    const listed = await LIST_SERVERS.run(
      link.commands,
      [link.keys.shared('servers')],
      [leaseMs * RECORD_TTL_LEASES, ...owned],
    );
    const [time, ids] = listResultSchema.parse(listed);
    for (const id of ids) if (fencingTokens.tokenOf(id) === null) this.#follow(id);
    const [areCurrent] = await Promise.all([
      Promise.all([...this.#followers.values()].map((follower) => follower.verify())),
      Promise.all([...this.#writers.values()].map((writer) => writer.renew())),
    ]);
    if (areCurrent.every(Boolean)) store.timeline?.markComplete(time);
    for (const [id, follower] of this.#followers) {
      if (!follower.hasExpired || fencingTokens.tokenOf(id) !== null) continue;
      this.#followers.delete(id);
      if (store.servers.get(id) !== undefined) this.#followerDeps.emit(store.removalDelta(id));
    }
  }

  #recordGap(): void {
    const { store, fencingTokens } = this.#options;
    store.timeline?.markGap((serverId) => fencingTokens.tokenOf(serverId) !== null);
  }

  /** Creates a writer for each owned server and a follower for every other one. Returns the ids of the owned servers. */
  #assignServers(): readonly string[] {
    const { store, fencingTokens } = this.#options;
    for (const [id, writer] of this.#writers) {
      if (fencingTokens.tokenOf(id) !== writer.fencingToken) this.#dropWriter(id, writer);
    }
    for (const id of this.#followers.keys()) if (fencingTokens.tokenOf(id) !== null) this.#followers.delete(id);
    const owned: string[] = [];
    for (const { id } of store.servers.values()) {
      if (this.#writerFor(id, []) === null) this.#follow(id);
      else owned.push(id);
    }
    return owned;
  }

  #follow(serverId: string): ServerFollower {
    let follower = this.#followers.get(serverId);
    if (follower === undefined) {
      follower = new ServerFollower(serverId, this.#followerDeps);
      this.#followers.set(serverId, follower);
    }
    return follower;
  }

  /**
   * Returns the writer of a server. Null if this node does not own the server.
   * @param newEvents committed events that are not published yet
   */
  #writerFor(serverId: string, newEvents: ServerDelta['events']): ServerWriter | null {
    const { store, fencingTokens } = this.#options;
    const fencingToken = fencingTokens.tokenOf(serverId);
    if (fencingToken === null) return null;
    let writer = this.#writers.get(serverId);
    if (writer?.fencingToken !== fencingToken) {
      if (writer !== undefined) this.#dropWriter(serverId, writer);
      const messages = newEvents.filter(({ type }) => type === 'message').length;
      const positions = {
        events: store.events.end - (newEvents.length - messages),
        messages: store.messages.end - messages,
      };
      writer = new ServerWriter(serverId, fencingToken, positions, this.#writerDeps);
      this.#writers.set(serverId, writer);
    }
    return writer;
  }

  #dropWriter(serverId: string, writer: ServerWriter): void {
    this.#writers.delete(serverId);
    // A pending write completes by itself.
    writer[Symbol.asyncDispose]().catch(() => undefined);
  }

  #logUnreadable(channel: string): void {
    const { clock, logger } = this.#options;
    if (clock.monotonic() - this.#unreadableAtMs < UNREADABLE_LOG_MS) return;
    this.#unreadableAtMs = clock.monotonic();
    logger.warn({ channel }, 'invalid message from another node, reading the snapshot instead');
  }

  /** Calls listeners and logs their errors, so that a failing listener does not affect the others. */
  #callListeners(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.logger.error({ error: errorMessage(error) }, 'a listener of the bus failed');
    }
  }
}
