import { RedisPubSub } from 'graphql-redis-subscriptions';
import { type EnvelopeDeps, EnvelopeReader, EnvelopeWriter, type Sealed } from './envelope.js';
import { JsonMessageReader } from '../../shared/json/index.js';
import type { RedisClient } from './redis-client.js';
import type { RedisChannel } from './redis-keys.js';
import type { Refusals } from './refusals.js';

/** Callback of a subscription. A message that is not JSON is null. */
export type MessageCallback = (message: unknown, source: MessageSource) => void;

export interface MessageSource {
  readonly channel: RedisChannel;
  /** Id of the node that sent the message. Authenticated if this node has keys. */
  readonly senderId: string;
}

export interface ChannelSubscriptionsOptions extends EnvelopeDeps {
  /** Connection of the subscriptions. */
  readonly client: RedisClient;
  readonly publisher: RedisClient;
  readonly refusals: Refusals;
}

/** Pub/sub subscriptions of one connection. They are renewed after each reconnect. Refused messages are only counted. */
export class ChannelSubscriptions {
  readonly #options: ChannelSubscriptionsOptions;
  readonly #client: RedisClient;
  readonly #pubSub: RedisPubSub;
  readonly #channels = new Map<RedisChannel, ChannelState>();
  /** Parses the messages of all channels, in order. */
  readonly #messages = new JsonMessageReader<(message: unknown) => void>({
    onMessage: (message, _text, deliver) => deliver(message),
    onInvalid: (_text, deliver) => deliver(null),
    onBusy: () => undefined,
  });

  constructor(options: ChannelSubscriptionsOptions) {
    const { client, publisher } = options;
    const writer = new EnvelopeWriter(options);
    this.#options = options;
    this.#client = client;
    this.#pubSub = new RedisPubSub({
      publisher,
      subscriber: withoutSubscribing(client),
      serializer: ({ channel, message }: OutgoingMessage) => writer.write(channel, message),
      deserializer: (text, { channel, pattern }): ReceivedMessage => this.#read(String(text), channel, pattern),
    });
    client.on('close', () => {
      for (const entry of this.#channels.values()) entry.isSubscribed = false;
    });
  }

  publish(channel: RedisChannel, message: unknown): Promise<void> {
    return this.#pubSub.publish(channel, { channel, message } satisfies OutgoingMessage);
  }

  /**
   * Adds a subscription. Resolves when Redis has subscribed, after a call of `renew`. Dispose to unsubscribe.
   * @throws Error if `end` is called before
   */
  async add(channel: RedisChannel, isPattern: boolean, callback: MessageCallback): Promise<AsyncDisposable> {
    let entry = this.#channels.get(channel);
    if (entry === undefined) {
      const reader = new EnvelopeReader(this.#options);
      entry = { isPattern, isSubscribed: false, subscriberCount: 0, waiting: new Set(), reader };
      this.#channels.set(channel, entry);
    }
    entry.subscriberCount += 1;
    const subscribed = waitFor(entry);
    let isEnded = false;
    const id = await this.#pubSub.subscribe(
      channel,
      ({ sealed, channel: source }: ReceivedMessage) => {
        if (sealed === null) return;
        const { senderId, json } = sealed;
        this.#messages.push(Buffer.from(json), (message) => {
          if (!isEnded) callback(message, { channel: source, senderId });
        });
      },
      { pattern: isPattern },
    );
    const unsubscribe = async (): Promise<void> => {
      isEnded = true;
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

  #read(text: string, channel: RedisChannel, pattern: string | undefined): ReceivedMessage {
    const read = this.#channels.get(pattern ?? channel)?.reader.read(channel, text) ?? null;
    if (typeof read !== 'string') return { sealed: read, channel };
    this.#options.refusals.count(read, channel);
    return { sealed: null, channel };
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
  readonly reader: EnvelopeReader;
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

interface OutgoingMessage {
  readonly channel: RedisChannel;
  readonly message: unknown;
}

interface ReceivedMessage {
  /** Null if the message was refused. */
  readonly sealed: Sealed | null;
  readonly channel: RedisChannel;
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
