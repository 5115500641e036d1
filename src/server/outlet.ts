import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/index.js';

export interface OutletOptions {
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
  /** 0..1, differing from outlet to outlet, so that many that are sent the same do not all ask at once. */
  readonly phase: number;
  /** Sends a ping, which is answered in its turn, after everything that was sent before it. */
  readonly sendPing: () => void;
}

/**
 * The way out to one client. Once too much waits to be sent, or to be read, it is closed until nearly all of that has gone:
 * the marks are far apart, so that it does not flutter. What the client has read is known by its answers to pings, because
 * the kernels on the way take megabytes without a word, and those are what a slow reader would see seconds too late.
 */
export class Outlet implements Disposable {
  readonly #stream: Duplex;
  readonly #options: OutletOptions;
  readonly #maxBufferedBytes: number;
  /** Unread bytes above which it asks whether they have been read. */
  readonly #askFromBytes: number;
  readonly #waiting = new Set<() => void>();
  #slow: Disposable | null = null;
  #closed = false;
  #sentBytes = 0;
  /** What had been sent when the last ping that was answered was. */
  #readBytes = 0;
  #ping: { readonly sentAtMs: number; readonly bytes: number } | null = null;

  constructor(stream: Duplex, options: OutletOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#maxBufferedBytes = Math.max(options.maxBufferedBytes, stream.writableHighWaterMark);
    this.#askFromBytes = ((1 + options.phase) / 2) * this.#maxBufferedBytes;
  }

  /** Whether its reader does not keep up. */
  get slow(): boolean {
    return this.#slow !== null;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  /** 0..1: which of many that are asked in turns it is. */
  get phase(): number {
    return this.#options.phase;
  }

  /** Since when a ping is not answered; `null`: none is. */
  get pingedAtMs(): number | null {
    return this.#ping?.sentAtMs ?? null;
  }

  /** So much more has been given to the stream. */
  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  hasRoom(): boolean {
    if (this.#slow !== null || this.#closed) return false;
    const unread = this.#sentBytes - this.#readBytes;
    if (this.#stream.writableLength > this.#maxBufferedBytes || unread > 2 * this.#maxBufferedBytes) {
      this.#enterSlow();
      return false;
    }
    if (unread > this.#askFromBytes) this.ping();
    return true;
  }

  /** Unless one is under way. */
  ping(): void {
    if (this.#ping !== null || this.#closed) return;
    this.#ping = { sentAtMs: this.#options.clock.monotonic(), bytes: this.#sentBytes };
    this.#options.sendPing();
  }

  /** The client has answered. @returns the round trip, milliseconds; `null`: nobody had asked */
  pong(): number | null {
    if (this.#ping === null) return null;
    const { sentAtMs, bytes } = this.#ping;
    this.#ping = null;
    this.#readBytes = bytes;
    if (this.#slow !== null) this.#leaveSlowWhenRead();
    return this.#options.clock.monotonic() - sentAtMs;
  }

  /** Calls back whenever there is room again after there was none; dispose to stop. */
  onRoom(callback: () => void): Disposable {
    this.#waiting.add(callback);
    return {
      [Symbol.dispose]: () => {
        this.#waiting.delete(callback);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
  }

  #enterSlow(): void {
    const { clock, maxSlowMs, onTooSlow } = this.#options;
    this.#slow = maxSlowMs === null ? NO_TIMER : clock.schedule(maxSlowMs, onTooSlow);
    this.ping();
  }

  /** A ping that was sent long before the last bytes says nothing of them: another one has to. */
  #leaveSlowWhenRead(): void {
    if (this.#sentBytes - this.#readBytes > this.#maxBufferedBytes / 2) {
      this.ping();
      return;
    }
    this.#slow?.[Symbol.dispose]();
    this.#slow = null;
    for (const callback of [...this.#waiting]) callback();
  }
}

const NO_TIMER: Disposable = { [Symbol.dispose]: () => undefined };
