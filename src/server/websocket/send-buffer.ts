import type { Duplex } from 'node:stream';
import type { Clock } from '../../shared/index.js';
import type { LivenessMonitor } from '../limits/liveness-monitor.js';

export interface SendBufferOptions {
  readonly clock: Clock;
  readonly liveness: Pick<LivenessMonitor, 'nowMs'>;
  /**
   * High-water mark for unsent bytes, and half of the high-water mark for unread bytes. The high-water mark of the stream
   * applies if it is larger.
   */
  readonly maxBufferedBytes: number;
  /** Called when so many bytes are unread that a ping should find out whether the client reads. */
  readonly onPingNeeded: () => void;
  /** Sends a ping. The client answers it after it has read everything that was sent before. */
  readonly sendPing: () => void;
}

/**
 * Tracks the unsent and unread bytes of one WebSocket. Rejects updates above the high-water mark and accepts them again
 * when nearly everything has drained. The two marks are far apart to avoid oscillation. Pongs tell how much the client
 * has read, because kernel buffers accept megabytes that a slow client would see seconds too late.
 */
export class SendBuffer implements Disposable {
  readonly #stream: Duplex;
  readonly #options: SendBufferOptions;
  readonly #maxBufferedBytes: number;
  readonly #waiters = new Set<() => void>();
  /** Time of the liveness monitor. Null while the client keeps up. */
  #slowSinceMs: number | null = null;
  #isClosed = false;
  #sentBytes = 0;
  /** Bytes that had been sent when the last answered ping was sent. */
  #readBytes = 0;
  #lastPingAtMs = -Infinity;
  #ping: { readonly sentAtMs: number; readonly liveAtMs: number; readonly bytes: number } | null = null;

  constructor(stream: Duplex, options: SendBufferOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#maxBufferedBytes = Math.max(options.maxBufferedBytes, stream.writableHighWaterMark);
  }

  /** Whether the client does not keep up and receives no updates. */
  get isSlow(): boolean {
    return this.#slowSinceMs !== null;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  /** Whether a ping is unanswered. */
  get isPinged(): boolean {
    return this.#ping !== null;
  }

  /** Time of the liveness monitor since which the client is slow or has not answered a ping. Null if neither is the case. */
  get waitingSinceMs(): number | null {
    const pingedAtMs = this.#ping?.liveAtMs ?? Infinity;
    const sinceMs = Math.min(pingedAtMs, this.#slowSinceMs ?? Infinity);
    return sinceMs === Infinity ? null : sinceMs;
  }

  /**
   * Whether half of the mark may be unread, or the last ping was sent at `sinceMs` or earlier. False while a ping is
   * unanswered, which is always the case while the client is slow.
   */
  isPingDue(sinceMs: number): boolean {
    if (this.#ping !== null) return false;
    return this.#unreadBytes > this.#maxBufferedBytes / 2 || this.#lastPingAtMs <= sinceMs;
  }

  /** Records bytes that were written to the stream. */
  recordSent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** Returns whether the client can receive an update; starts backpressure if too many bytes are unsent or unread. */
  canSend(): boolean {
    if (this.#slowSinceMs !== null || this.#isClosed) return false;
    const unreadBytes = this.#unreadBytes;
    if (this.#stream.writableLength > this.#maxBufferedBytes || unreadBytes > 2 * this.#maxBufferedBytes) {
      this.#slowSinceMs = this.#options.liveness.nowMs;
      this.ping();
      return false;
    }
    if (unreadBytes > this.#maxBufferedBytes) this.#options.onPingNeeded();
    return true;
  }

  /** Sends a ping unless one is unanswered. */
  ping(): void {
    if (this.#ping !== null || this.#isClosed) return;
    const { clock, liveness, sendPing } = this.#options;
    this.#lastPingAtMs = clock.monotonic();
    this.#ping = { sentAtMs: this.#lastPingAtMs, liveAtMs: liveness.nowMs, bytes: this.#sentBytes };
    sendPing();
  }

  /** Records a pong. @returns the round trip in milliseconds, or null if no ping was unanswered */
  recordPong(): number | null {
    if (this.#ping === null) return null;
    const { sentAtMs, bytes } = this.#ping;
    this.#ping = null;
    this.#readBytes = bytes;
    if (this.#slowSinceMs !== null) this.#leaveSlowWhenRead();
    return this.#options.clock.monotonic() - sentAtMs;
  }

  /** Calls `callback` each time the client can receive updates again. Disposing the result unsubscribes. */
  onDrain(callback: () => void): Disposable {
    this.#waiters.add(callback);
    return {
      [Symbol.dispose]: () => {
        this.#waiters.delete(callback);
      },
    };
  }

  /** Resolves when the client can receive a message, or when the WebSocket is closed. */
  drained(): Promise<void> {
    if (this.#isClosed || this.canSend()) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = this.onDrain(() => {
        listener[Symbol.dispose]();
        resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#slowSinceMs = null;
    this.#notifyDrained();
  }

  get #unreadBytes(): number {
    return this.#sentBytes - this.#readBytes;
  }

  /** Ends backpressure if nearly everything is read. Sends another ping otherwise, because the answered one is older than the last bytes. */
  #leaveSlowWhenRead(): void {
    if (this.#unreadBytes > this.#maxBufferedBytes / 2) {
      this.ping();
      return;
    }
    this.#slowSinceMs = null;
    this.#notifyDrained();
  }

  #notifyDrained(): void {
    for (const callback of [...this.#waiters]) callback();
  }
}
