import { type Clock, errorMessage, WakeSignal, scheduleDeadline } from '../../shared/index.js';
import type { RedisClient } from './redis-client.js';

/** Interval of the pings in milliseconds. */
const INTERVAL_MS = 250;
const NOT_CONNECTED = 'not connected yet';
/** Time in milliseconds after which a ping counts as failed. */
const PING_TIMEOUT_MS = 1_000;
/** Time in milliseconds without an answer after which the connection is replaced, because its other end may have disappeared. */
const RECONNECT_AFTER_MS = 5_000;

/**
 * Pings one Redis connection and reports whether it answers. A stopped Redis or a broken network keeps the connection open
 * without answering, which only a ping detects.
 */
export class RedisHeartbeat implements AsyncDisposable {
  readonly #options: RedisHeartbeatOptions;
  readonly #wakeSignal: WakeSignal;
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #failureReason: string | null;
  /** Monotonic time of the first unanswered ping. Null if Redis answers, or if there is no connection. */
  #silentSinceMs: number | null = null;

  constructor(options: RedisHeartbeatOptions) {
    this.#options = options;
    this.#wakeSignal = new WakeSignal(options.clock);
    this.#failureReason = `Redis at ${options.address}: ${NOT_CONNECTED}`;
    const { client } = options;
    client.on('ready', this.#onReady);
    client.on('close', this.#onClose);
    client.on('error', this.#onError);
    this.#loop = this.#run(this.#abort.signal);
  }

  /** Reason for the failure. Null if Redis answers. */
  get failureReason(): string | null {
    return this.#failureReason;
  }

  /** Sends a ping immediately. */
  checkNow(): void {
    this.#wakeSignal.wake();
  }

  /** Stops the pings. The client must be closed as well, because a ping may be pending. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { client } = this.#options;
    client.off('ready', this.#onReady);
    client.off('close', this.#onClose);
    client.off('error', this.#onError);
    this.#abort.abort();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#options.client.status === 'ready') await this.#request();
      await this.#wakeSignal.wait(INTERVAL_MS, signal);
    }
  }

  async #request(): Promise<void> {
    const { client, clock, ping } = this.#options;
    const pingedAtMs = clock.monotonic();
    using _late = scheduleDeadline(clock, PING_TIMEOUT_MS, () => this.#set('does not answer'));
    try {
      await ping();
      this.#silentSinceMs = null;
      if (client.status === 'ready') this.#set(null);
    } catch (error) {
      if (client.status !== 'ready') return;
      this.#set(errorMessage(error));
      this.#silentSinceMs ??= pingedAtMs;
      if (clock.monotonic() - this.#silentSinceMs < RECONNECT_AFTER_MS) return;
      this.#silentSinceMs = null;
      client.disconnect(true);
    }
  }

  readonly #onReady = (): void => this.#wakeSignal.wake();

  readonly #onClose = (): void => {
    this.#silentSinceMs = null;
    // Other reasons are more specific.
    if (this.#failureReason === null || this.#failureReason.endsWith(NOT_CONNECTED)) this.#set('connection closed');
  };

  readonly #onError = (error: unknown): void => {
    const message = errorMessage(error);
    // ioredis reports its handshake on a closed connection after the error that closed it.
    if (!message.includes('enableOfflineQueue')) this.#set(message);
  };

  #set(reason: string | null): void {
    if (this.#abort.signal.aborted) return;
    const { address, secret, onChange } = this.#options;
    const text = reason === null || secret === null ? reason : reason.replaceAll(secret, '***');
    this.#failureReason = text === null ? null : `Redis at ${address}: ${text}`;
    onChange();
  }
}

export interface RedisHeartbeatOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** Address of Redis, for messages. */
  readonly address: string;
  /** Secret to remove from messages. */
  readonly secret: string | null;
  /** Sends commands that must succeed for the connection to count as answering. */
  readonly ping: () => Promise<void>;
  /** Called when `failureReason` may have changed. */
  readonly onChange: () => void;
}
