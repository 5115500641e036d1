import {
  type Clock,
  Emitter,
  errorMessage,
  type Logger,
  type RedisAddress,
  type RedisTls,
} from '../../shared/index.js';
import { RedisHeartbeat } from './redis-heartbeat.js';
import { closeRedisClient, openRedisClient, type RedisClient } from './redis-client.js';
import { type RedisChannel, RedisKeys } from './redis-keys.js';
import { ChannelSubscriptions, type MessageCallback } from './channel-subscriptions.js';
import { Refusals } from './refusals.js';
import { RedisTime } from './redis-time.js';
import { Seal } from './seal.js';

/** Redis connections of one node: commands, publishing, subscriptions and their health. Commands never wait for Redis. */
export interface RedisConnection extends AsyncDisposable {
  readonly nodeId: string;
  readonly keys: RedisKeys;
  /** Whether both connections answer and all subscriptions are renewed. */
  readonly isUp: boolean;
  /** Reason for the failure, without secrets. Null if the connection is up. */
  readonly failureReason: string | null;
  /** Resolves when the connection is up for the first time. Never resolves if it is disposed before. */
  readonly connected: Promise<void>;
  /** Calls back after each change of `isUp`. Dispose to stop. */
  onChange(callback: () => void): Disposable;
  /** Client for all commands except subscriptions. Commands fail immediately without a connection, and after a second without an answer. */
  readonly commands: RedisClient;
  /** Signs and verifies everything that this node writes to Redis and reads from there. */
  readonly seal: Seal;
  /** Estimated clock of Redis. */
  readonly time: RedisTime;
  /** Counts data that this node ignores. */
  readonly refusals: Refusals;
  /**
   * Publishes a message as signed JSON.
   * @throws Error while the connection is down
   */
  publish(channel: RedisChannel, message: unknown): Promise<void>;
  /**
   * Subscribes to a channel. Waits while Redis is unavailable. Messages that are forged, old, repeated or moved from another
   * channel are counted and not delivered. A message that is not JSON arrives as null. Dispose to unsubscribe.
   * @param options `pattern`: whether the channel is a pattern
   * @throws Error if Redis rejects the subscription, or if the connection is disposed
   */
  subscribe(
    channel: RedisChannel,
    callback: MessageCallback,
    options?: { readonly pattern: boolean },
  ): Promise<AsyncDisposable>;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** Certificates for TLS. Null for the defaults. */
  readonly tls?: RedisTls | null;
  /** Prefix of all keys and channels. Not empty. */
  readonly prefix: string;
  /** Accepted keys for signatures, the first of which signs. Empty to exchange unsigned data. */
  readonly busKeys?: readonly string[];
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function openRedisConnection(options: RedisConnectionOptions): RedisConnection {
  return new IoRedisConnection(options);
}

class IoRedisConnection implements RedisConnection {
  readonly nodeId: string;
  readonly keys: RedisKeys;
  readonly commands: RedisClient;
  readonly seal: Seal;
  readonly time: RedisTime;
  readonly refusals: Refusals;
  readonly connected: Promise<void>;
  readonly #subscriber: RedisClient;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #subscriberHeartbeat: RedisHeartbeat;
  readonly #heartbeats: readonly RedisHeartbeat[];
  readonly #changes = new Emitter<null>();
  readonly #logger: Logger;
  #wasUp = false;

  constructor({ address, tls = null, prefix, busKeys = [], nodeId, clock, logger }: RedisConnectionOptions) {
    this.#logger = logger;
    this.nodeId = nodeId;
    this.keys = new RedisKeys(prefix);
    this.seal = new Seal(busKeys);
    this.time = new RedisTime(clock);
    this.refusals = new Refusals(logger);
    const client = { address, tls, name: `${prefix}:${nodeId}`, clock };
    this.commands = openRedisClient(client);
    this.#subscriber = openRedisClient(client);
    this.#subscriptions = new ChannelSubscriptions({
      client: this.#subscriber,
      publisher: this.commands,
      nodeId,
      seal: this.seal,
      time: this.time,
      refusals: this.refusals,
    });
    const hosts = address.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
    const common = { clock, address: hosts, secret: address.password, onChange: () => this.#check() };
    this.#subscriberHeartbeat = new RedisHeartbeat({
      ...common,
      client: this.#subscriber,
      ping: async () => {
        await this.#subscriptions.renew();
        await this.#subscriber.ping();
      },
    });
    const commandsHeartbeat = new RedisHeartbeat({
      ...common,
      client: this.commands,
      ping: async () => {
        const requestedAtMs = clock.monotonic();
        const [seconds, microseconds] = await this.commands.time();
        // ioredis returns text, unlike its types.
        this.time.record(requestedAtMs, Number(seconds) * 1_000 + Number(microseconds) / 1_000);
      },
    });
    this.#heartbeats = [commandsHeartbeat, this.#subscriberHeartbeat];
    this.connected = new Promise((resolve) => {
      const listener = this.onChange(() => {
        listener[Symbol.dispose]();
        resolve();
      });
    });
  }

  get isUp(): boolean {
    return this.failureReason === null;
  }

  get failureReason(): string | null {
    return this.#heartbeats.find(({ failureReason }) => failureReason !== null)?.failureReason ?? null;
  }

  onChange(callback: () => void): Disposable {
    return this.#changes.add(callback);
  }

  async publish(channel: RedisChannel, message: unknown): Promise<void> {
    if (this.failureReason !== null) throw new Error(this.failureReason);
    await this.#subscriptions.publish(channel, message);
  }

  subscribe(
    channel: RedisChannel,
    callback: MessageCallback,
    { pattern } = { pattern: false },
  ): Promise<AsyncDisposable> {
    const added = this.#subscriptions.add(channel, pattern, callback);
    this.#subscriberHeartbeat.checkNow();
    return added;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const disposals = this.#heartbeats.map((heartbeat) => heartbeat[Symbol.asyncDispose]());
    this.#subscriptions.end();
    await Promise.all([...disposals, closeRedisClient(this.commands), closeRedisClient(this.#subscriber)]);
  }

  #check(): void {
    if (this.isUp === this.#wasUp) return;
    this.#wasUp = this.isUp;
    if (this.#wasUp) this.#logger.info({}, 'Redis available');
    else this.#logger.warn({ reason: this.failureReason }, 'Redis unavailable');
    try {
      this.#changes.emit(null);
    } catch (error) {
      this.#logger.error({ error: errorMessage(error) }, 'a listener of the Redis connection failed');
    }
  }
}
