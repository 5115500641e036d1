import { type Clock, Emitter, errorMessage, type RedisAddress, type Logger } from '../../shared/index.js';
import { RedisHeartbeat } from './redis-heartbeat.js';
import { closeRedisClient, openRedisClient, type RedisClient } from './redis-client.js';
import { type RedisChannel, RedisKeys } from './redis-keys.js';
import { ChannelSubscriptions } from './channel-subscriptions.js';

/** The connections of one node to Redis, and what is known of them. While Redis is away nothing waits for it here. */
export interface RedisConnection extends AsyncDisposable {
  readonly nodeId: string;
  readonly keys: RedisKeys;
  /** Both connections answer, and what was subscribed is subscribed again. */
  readonly isUp: boolean;
  /** Why it is down, without secrets; `null`: it is up. */
  readonly failureReason: string | null;
  /** Resolves when it is up for the first time; never when it is disposed before. */
  readonly connected: Promise<void>;
  /** Calls back each time that it went up or down. */
  onChange(callback: () => void): Disposable;
  /** For everything but subscribing. A command fails at once while there is no connection, and within a second when Redis does not answer. */
  readonly commands: RedisClient;
  /** As JSON. @throws while the link is down */
  publish(channel: RedisChannel, message: unknown): Promise<void>;
  /**
   * Resolves when Redis has subscribed; waits while it is away. What is no JSON arrives as `null`, with the channel it came on.
   * @param options `pattern`: the channel is a pattern
   * @throws when Redis refuses, or the link is disposed
   */
  subscribe(
    channel: RedisChannel,
    callback: (message: unknown, channel: string) => void,
    options?: { readonly pattern: boolean },
  ): Promise<AsyncDisposable>;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  /** Of all keys and channels; not empty. */
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
  readonly #subscriberBeats: RedisHeartbeat;
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
    const place = address.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
    const common = { clock, address: place, secret: address.password, onChange: () => this.#look() };
    this.#subscriberBeats = new RedisHeartbeat({
      ...common,
      client: this.#subscriber,
      prepare: () => this.#subscriptions.renew(),
    });
    this.#heartbeats = [new RedisHeartbeat({ ...common, client: this.commands }), this.#subscriberBeats];
    this.connected = new Promise((resolve) => {
      const listening = this.onChange(() => {
        listening[Symbol.dispose]();
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
    this.#subscriberBeats.checkNow();
    return added;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const beats = this.#heartbeats.map((heartbeat) => heartbeat[Symbol.asyncDispose]());
    this.#subscriptions.end();
    await Promise.all([...beats, closeRedisClient(this.commands), closeRedisClient(this.#subscriber)]);
  }

  #look(): void {
    if (this.isUp === this.#wasUp) return;
    this.#wasUp = this.isUp;
    if (this.#wasUp) this.#logger.info({}, 'Redis answers');
    else this.#logger.warn({ reason: this.failureReason }, 'Redis is away');
    try {
      this.#changes.emit(null);
    } catch (error) {
      this.#logger.error({ error: errorMessage(error) }, 'a listener of the connection to Redis failed');
    }
  }
}
