import { type Clock, errorMessage, WakeSignal, scheduleDeadline } from '../../shared/index.js';
import type { RedisClient } from './redis-client.js';

/** Between two questions whether Redis is there. */
const INTERVAL_MS = 250;
/** An answer that takes longer is none. */
const LATE_MS = 1_000;
/** After that long without an answer the connection is made anew: its other end may be gone without a word. */
const GIVE_UP_MS = 5_000;

/**
 * Whether one connection answers. A closed connection tells; a Redis that was stopped, or a network that swallows
 * everything, keeps the connection and says nothing, so it is asked.
 */
export class RedisHeartbeat implements AsyncDisposable {
  readonly #options: RedisHeartbeatOptions;
  readonly #wakeSignal: WakeSignal;
  readonly #end = new AbortController();
  readonly #beating: Promise<void>;
  #failureReason: string | null;
  /** By the monotonic clock; `null`: it answers, or there is no connection that could. */
  #silentSince: number | null = null;

  constructor(options: RedisHeartbeatOptions) {
    this.#options = options;
    this.#wakeSignal = new WakeSignal(options.clock);
    this.#failureReason = `Redis at ${options.address} is not connected yet`;
    const { client } = options;
    client.on('ready', this.#onReady);
    client.on('close', this.#onClose);
    client.on('error', this.#onError);
    this.#beating = this.#beat(this.#end.signal);
  }

  /** Why it is of no use now; `null`: it answers. */
  get failureReason(): string | null {
    return this.#failureReason;
  }

  /** Asks at once. */
  checkNow(): void {
    this.#wakeSignal.wake();
  }

  /** The client's connection has to be closed as well: a question may be under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { client } = this.#options;
    client.off('ready', this.#onReady);
    client.off('close', this.#onClose);
    client.off('error', this.#onError);
    this.#end.abort();
    await this.#beating;
  }

  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#options.client.status === 'ready') await this.#request();
      await this.#wakeSignal.wait(INTERVAL_MS, signal);
    }
  }

  async #request(): Promise<void> {
    const { client, clock, prepare } = this.#options;
    const askedAt = clock.monotonic();
    using _late = scheduleDeadline(clock, LATE_MS, () => this.#set('does not answer'));
    try {
      await prepare?.();
      await client.ping();
      this.#silentSince = null;
      if (client.status === 'ready') this.#set(null);
    } catch (error) {
      if (client.status !== 'ready') return;
      this.#set(errorMessage(error));
      this.#silentSince ??= askedAt;
      if (clock.monotonic() - this.#silentSince < GIVE_UP_MS) return;
      this.#silentSince = null;
      client.disconnect(true);
    }
  }

  readonly #onReady = (): void => this.#wakeSignal.wake();

  readonly #onClose = (): void => {
    this.#silentSince = null;
    // What was wrong before says more.
    if (this.#failureReason === null) this.#set('the connection has ended');
  };

  readonly #onError = (error: unknown): void => this.#set(errorMessage(error));

  #set(reason: string | null): void {
    if (this.#end.signal.aborted) return;
    const { address, secret, onChange } = this.#options;
    const text = reason === null || secret === null ? reason : reason.replaceAll(secret, '***');
    this.#failureReason = text === null ? null : `Redis at ${address}: ${text}`;
    onChange();
  }
}

export interface RedisHeartbeatOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  /** Where Redis is, for people. */
  readonly address: string;
  /** What must not be told. */
  readonly secret: string | null;
  /** What has to be done, before it counts as answering, when the connection is new or something is still to do. */
  readonly prepare?: () => Promise<void>;
  /** `trouble` may be another. */
  readonly onChange: () => void;
}
