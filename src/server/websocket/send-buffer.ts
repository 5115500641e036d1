import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/index.js';

export interface SendBufferOptions {
  readonly clock: Clock;
  /**
   * Bytes that may wait to be sent before its reader counts as slow, and half of those that it may not have read yet; at
   * least what the stream itself takes before it says no.
   */
  readonly maxBufferedBytes: number;
  /** How long a reader may stay slow; `null`: for ever. */
  readonly maxSlowMs: number | null;
  /** Called once, when it has been slow for too long. */
  readonly onTooSlow: () => void;
  /** So much has been sent that it should be asked whether it has been read: `ping` does. */
  readonly onPingNeeded: () => void;
  /** Sends a ping, which is answered in its turn, after everything that was sent before it. */
  readonly sendPing: () => void;
}

/**
 * The way out to one client. Once too much waits to be sent, or to be read, it is closed until nearly all of that has gone:
 * the marks are far apart, so that it does not flutter. What the client has read is known by its answers to pings, because
 * the kernels on the way take megabytes without a word, and those are what a slow reader would see seconds too late.
 */
export class SendBuffer implements Disposable {
  readonly #stream: Duplex;
  readonly #options: SendBufferOptions;
  readonly #maxBufferedBytes: number;
  readonly #waiters = new Set<() => void>();
  #slow: Disposable | null = null;
  #closed = false;
  #sentBytes = 0;
  /** What had been sent when the last ping that was answered was. */
  #readBytes = 0;
  #requestedAtMs = -Infinity;
  #ping: { readonly sentAtMs: number; readonly bytes: number } | null = null;

  constructor(stream: Duplex, options: SendBufferOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#maxBufferedBytes = Math.max(options.maxBufferedBytes, stream.writableHighWaterMark);
  }

  /** Whether its reader does not keep up. */
  get isSlow(): boolean {
    return this.#slow !== null;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  /** Since when a ping is not answered; `null`: none is. */
  get pingedAtMs(): number | null {
    return this.#ping?.sentAtMs ?? null;
  }

  /** Whether it is time to ask: half a mark may be unread, or it was last asked so long ago. */
  isPingDue(sinceMs: number): boolean {
    if (this.#ping !== null || this.#slow !== null) return false;
    return this.#unreadBytes > this.#maxBufferedBytes / 2 || this.#requestedAtMs <= sinceMs;
  }

  /** So much more has been given to the stream. */
  recordSent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  canSend(): boolean {
    if (this.#slow !== null || this.#closed) return false;
    const unreadBytes = this.#unreadBytes;
    if (this.#stream.writableLength > this.#maxBufferedBytes || unreadBytes > 2 * this.#maxBufferedBytes) {
      this.#enterSlow();
      return false;
    }
    if (unreadBytes > this.#maxBufferedBytes) this.#options.onPingNeeded();
    return true;
  }

  /** Unless one is under way. */
  ping(): void {
    if (this.#ping !== null || this.#closed) return;
    this.#requestedAtMs = this.#options.clock.monotonic();
    this.#ping = { sentAtMs: this.#requestedAtMs, bytes: this.#sentBytes };
    this.#options.sendPing();
  }

  /** The client has answered. @returns the round trip, milliseconds; `null`: nobody had asked */
  recordPong(): number | null {
    if (this.#ping === null) return null;
    const { sentAtMs, bytes } = this.#ping;
    this.#ping = null;
    this.#readBytes = bytes;
    if (this.#slow !== null) this.#leaveSlowWhenRead();
    return this.#options.clock.monotonic() - sentAtMs;
  }

  /** Calls back whenever there is room again after there was none; dispose to stop. */
  onDrain(callback: () => void): Disposable {
    this.#waiters.add(callback);
    return {
      [Symbol.dispose]: () => {
        this.#waiters.delete(callback);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
  }

  get #unreadBytes(): number {
    return this.#sentBytes - this.#readBytes;
  }

  #enterSlow(): void {
    const { clock, maxSlowMs, onTooSlow } = this.#options;
    this.#slow = maxSlowMs === null ? NO_TIMER : clock.schedule(maxSlowMs, onTooSlow);
    this.ping();
  }

  /** A ping that was sent long before the last bytes says nothing of them: another one has to. */
  #leaveSlowWhenRead(): void {
    if (this.#unreadBytes > this.#maxBufferedBytes / 2) {
      this.ping();
      return;
    }
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
    for (const callback of [...this.#waiters]) callback();
  }
}

const NO_TIMER: Disposable = { [Symbol.dispose]: () => undefined };
