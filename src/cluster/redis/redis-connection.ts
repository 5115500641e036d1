import { type Clock, Emitter, errorMessage, type RedisAddress, type Logger } from '../../shared/index.js';
import { RedisHeartbeat } from './redis-heartbeat.js';
import { closeRedisClient, openRedisClient, type RedisClient } from './redis-client.js';
import { type RedisChannel, RedisKeys } from './redis-keys.js';
import { ChannelSubscriptions } from './channel-subscriptions.js';

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
  /**
   * Publishes a message as JSON.
   * @throws Error while the connection is down
   */
  publish(channel: RedisChannel, message: unknown): Promise<void>;
  /**
   * Subscribes to a channel. Waits while Redis is unavailable. A message that is not JSON arrives as null. Dispose to unsubscribe.
   * @param options `pattern`: whether the channel is a pattern
   * @throws Error if Redis rejects the subscription, or if the connection is disposed
   */
  subscribe(
    channel: RedisChannel,
    callback: (message: unknown, channel: string) => void,
    options?: { readonly pattern: boolean },
  ): Promise<AsyncDisposable>;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** Prefix of all keys and channels. Not empty. */
  readonly prefix: string;
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
  readonly connected: Promise<void>;
  readonly #subscriber: RedisClient;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #subscriberHeartbeat: RedisHeartbeat;
  readonly #heartbeats: readonly RedisHeartbeat[];
  readonly #changes = new Emitter<null>();
  readonly #logger: Logger;
  #wasUp = false;

  constructor({ address, prefix, nodeId, clock, logger }: RedisConnectionOptions) {
    this.#logger = logger;
    this.nodeId = nodeId;
    this.keys = new RedisKeys(prefix);
    const name = `${prefix}:${nodeId}`;
    this.commands = openRedisClient(address, name);
    this.#subscriber = openRedisClient(address, name);
    this.#subscriptions = new ChannelSubscriptions(this.#subscriber, this.commands);
    const hosts = address.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
    const common = { clock, address: hosts, secret: address.password, onChange: () => this.#check() };
    this.#subscriberHeartbeat = new RedisHeartbeat({
      ...common,
      client: this.#subscriber,
      prepare: () => this.#subscriptions.renew(),
    });
    this.#heartbeats = [new RedisHeartbeat({ ...common, client: this.commands }), this.#subscriberHeartbeat];
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
    callback: (message: unknown, channel: string) => void,
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
