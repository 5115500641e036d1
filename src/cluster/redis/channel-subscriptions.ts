import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { RedisClient } from './redis-client.js';
import type { RedisChannel } from './redis-keys.js';

/** Pub/sub subscriptions of one connection. They are renewed after each reconnect. */
export class ChannelSubscriptions {
  readonly #client: RedisClient;
  readonly #pubSub: RedisPubSub;
  readonly #channels = new Map<RedisChannel, ChannelState>();

  constructor(client: RedisClient, publisher: RedisClient) {
    this.#client = client;
    this.#pubSub = new RedisPubSub({
      publisher,
      subscriber: withoutSubscribing(client),
      deserializer: (source, { channel }): ReceivedMessage => ({ message: parseJson(String(source)), channel }),
    });
    client.on('close', () => {
      for (const entry of this.#channels.values()) entry.isSubscribed = false;
    });
  }

  publish(channel: RedisChannel, message: unknown): Promise<void> {
    return this.#pubSub.publish(channel, message);
  }

  /**
   * Adds a subscription. Resolves when Redis has subscribed, after a call of `renew`. Dispose to unsubscribe.
   * @throws Error if `end` is called before
   */
  async add(
    channel: RedisChannel,
    isPattern: boolean,
    callback: (message: unknown, channel: string) => void,
  ): Promise<AsyncDisposable> {
    let entry = this.#channels.get(channel);
    if (entry === undefined) {
      entry = { isPattern, isSubscribed: false, subscriberCount: 0, waiting: new Set() };
      this.#channels.set(channel, entry);
    }
    entry.subscriberCount += 1;
    const subscribed = waitFor(entry);
    const id = await this.#pubSub.subscribe(
      channel,
      (received: ReceivedMessage) => callback(received.message, received.channel),
      {
        pattern: isPattern,
      },
    );
    const unsubscribe = async (): Promise<void> => {
      this.#pubSub.unsubscribe(id);
      entry.subscriberCount -= 1;
      if (entry.subscriberCount > 0 || this.#channels.get(channel) !== entry) return;
      this.#channels.delete(channel);
      // Without a connection there is nothing to unsubscribe, and a later `renew` skips the channel.
      if (this.#client.status === 'ready') await this.#unsubscribe(channel, isPattern).catch(() => undefined);
    };
    try {
      await subscribed;
    } catch (error) {
      await unsubscribe();
      throw error;
    }
    return { [Symbol.asyncDispose]: unsubscribe };
  }

  /**
   * Subscribes all channels that are not subscribed.
   * @throws Error if Redis rejects a subscription or does not answer
   */
  async renew(): Promise<void> {
    for (const [channel, entry] of this.#channels) {
      if (entry.isSubscribed) continue;
      await (entry.isPattern ? this.#client.psubscribe(channel) : this.#client.subscribe(channel));
      entry.isSubscribed = true;
      for (const settle of entry.waiting) settle(null);
      entry.waiting.clear();
    }
  }

  /** Rejects all pending subscriptions. */
  end(): void {
    for (const { waiting } of this.#channels.values()) {
      for (const settle of waiting) settle(new Error('Redis connection closed'));
      waiting.clear();
    }
  }

  #unsubscribe(channel: RedisChannel, isPattern: boolean): Promise<unknown> {
    return isPattern ? this.#client.punsubscribe(channel) : this.#client.unsubscribe(channel);
  }
}

interface ChannelState {
  readonly isPattern: boolean;
  isSubscribed: boolean;
  subscriberCount: number;
  readonly waiting: Set<(error: Error | null) => void>;
}

function waitFor(entry: ChannelState): Promise<void> {
  if (entry.isSubscribed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    entry.waiting.add((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

interface ReceivedMessage {
  /** Null if the message was not JSON. */
  readonly message: unknown;
  readonly channel: string;
}

/**
 * Returns the client with inert subscription commands. RedisPubSub listens for messages on it, and `ChannelSubscriptions`
 * subscribes itself, because RedisPubSub leaves the rejection of a SUBSCRIBE, or of an UNSUBSCRIBE that its connection
 * does not survive, unhandled. An unhandled rejection ends the process.
 */
function withoutSubscribing(client: RedisClient): RedisClient {
  const succeed = (_channel: string, callback?: (error: null) => void): void => callback?.(null);
  const inert: ReadonlySet<unknown> = new Set(['subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe']);
  return new Proxy(client, {
    get: (target, name): unknown => (inert.has(name) ? succeed : Reflect.get(target, name)),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
