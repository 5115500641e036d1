import { type Clock, Listeners, messageOf, type RedisAddress } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { Heartbeat } from './heartbeat.js';
import { closeClient, openClient, type RedisClient } from './redis-clients.js';
import { type Channel, RedisNames } from './redis-names.js';
import { Subscriptions } from './subscriptions.js';

/** The connections of one node to Redis, and what is known of them. While Redis is away nothing waits for it here. */
export interface RedisLink extends AsyncDisposable {
  readonly nodeId: string;
  readonly names: RedisNames;
  /** Both connections answer, and what was subscribed is subscribed again. */
  readonly isUp: boolean;
  /** Why it is down, without secrets; `null`: it is up. */
  readonly trouble: string | null;
  /** Resolves when it is up for the first time; never when it is disposed before. */
  readonly firstUp: Promise<void>;
  /** Calls back each time that it went up or down. */
  onChange(callback: () => void): Disposable;
  /** For everything but subscribing. A command fails at once while there is no connection, and within a second when Redis does not answer. */
  readonly commands: RedisClient;
  /** As JSON. @throws while the link is down */
  publish(channel: Channel, message: unknown): Promise<void>;
  /**
   * Resolves when Redis has subscribed; waits while it is away. What is no JSON arrives as `null`, with the channel it came on.
   * @param options `pattern`: the channel is a pattern
   * @throws when Redis refuses, or the link is disposed
   */
  subscribe(
    channel: Channel,
    callback: (message: unknown, channel: string) => void,
    options?: { readonly pattern: boolean },
  ): Promise<AsyncDisposable>;
}

export interface RedisLinkOptions {
  readonly address: RedisAddress;
  /** Of all keys and channels; not empty. */
  readonly prefix: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function openRedisLink(options: RedisLinkOptions): RedisLink {
  return new Link(options);
}

class Link implements RedisLink {
  readonly nodeId: string;
  readonly names: RedisNames;
  readonly commands: RedisClient;
  readonly firstUp: Promise<void>;
  readonly #subscriber: RedisClient;
  readonly #subscriptions: Subscriptions;
  readonly #subscriberBeats: Heartbeat;
  readonly #heartbeats: readonly Heartbeat[];
  readonly #changes = new Listeners<null>();
  readonly #logger: Logger;
  #wasUp = false;

  constructor({ address, prefix, nodeId, clock, logger }: RedisLinkOptions) {
    this.#logger = logger;
    this.nodeId = nodeId;
    this.names = new RedisNames(prefix);
    const name = `${prefix}:${nodeId}`;
    this.commands = openClient(address, name);
    this.#subscriber = openClient(address, name);
    this.#subscriptions = new Subscriptions(this.#subscriber, this.commands);
    const place = address.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
    const common = { clock, place, secret: address.password, onChange: () => this.#look() };
    this.#subscriberBeats = new Heartbeat({
      ...common,
      client: this.#subscriber,
      prepare: () => this.#subscriptions.renew(),
    });
    this.#heartbeats = [new Heartbeat({ ...common, client: this.commands }), this.#subscriberBeats];
    this.firstUp = new Promise((resolve) => {
      const listening = this.onChange(() => {
        listening[Symbol.dispose]();
        resolve();
      });
    });
  }

  get isUp(): boolean {
    return this.trouble === null;
  }

  get trouble(): string | null {
    return this.#heartbeats.find(({ trouble }) => trouble !== null)?.trouble ?? null;
  }

  onChange(callback: () => void): Disposable {
    return this.#changes.add(callback);
  }

  async publish(channel: Channel, message: unknown): Promise<void> {
    if (this.trouble !== null) throw new Error(this.trouble);
    await this.#subscriptions.publish(channel, message);
  }

  subscribe(
    channel: Channel,
    callback: (message: unknown, channel: string) => void,
    { pattern } = { pattern: false },
  ): Promise<AsyncDisposable> {
    const added = this.#subscriptions.add(channel, pattern, callback);
    this.#subscriberBeats.ring();
    return added;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const beats = this.#heartbeats.map((heartbeat) => heartbeat[Symbol.asyncDispose]());
    this.#subscriptions.end();
    await Promise.all([...beats, closeClient(this.commands), closeClient(this.#subscriber)]);
  }

  #look(): void {
    if (this.isUp === this.#wasUp) return;
    this.#wasUp = this.isUp;
    if (this.#wasUp) this.#logger.info({}, 'Redis answers');
    else this.#logger.warn({ reason: this.trouble }, 'Redis is away');
    try {
      this.#changes.emit(null);
    } catch (error) {
      this.#logger.error({ error: messageOf(error) }, 'a listener of the connection to Redis failed');
    }
  }
}
