import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CLOSE_TRY_AGAIN_LATER, type Clock, scheduleDeadline } from '../../shared/index.js';
import { SendBuffer } from './send-buffer.js';

/** Interval between two keep-alive pings of one WebSocket. */
const PING_INTERVAL_MS = 20_000;
/** Time after which a WebSocket that did not answer a ping is terminated. */
const PING_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 5_000;
/** Largest number of pings per batch. Pongs that arrive together are cheap, but too many at once delay a tick. */
const MAX_PINGS_PER_BATCH = 64;
const BATCH_INTERVAL_MS = 5;
/** Number of recent round trips that the percentiles are computed from. */
const MAX_ROUND_TRIPS = 1_000;

export interface ConnectionRegistryOptions {
  readonly clock: Clock;
  /** Unsent bytes above which a WebSocket receives no updates until they are sent. */
  readonly maxBufferedBytes: number;
  /** Time in milliseconds after which a slow WebSocket is closed with 1013. Null if it is never closed. */
  readonly maxSlowMs: number | null;
}

/**
 * Registry of all open WebSockets. Sends keep-alive pings, measures round trips, and closes WebSockets that do not answer
 * or stay slow for too long.
 */
export class ConnectionRegistry implements Disposable {
  readonly #sockets = new Map<WebSocket, SendBuffer>();
  readonly #roundTripsMs: number[] = [];
  readonly #options: ConnectionRegistryOptions;
  readonly #clock: Clock;
  #timer: Disposable | null = null;
  #nextBatch: Disposable | null = null;
  #onAllClosed: () => void = () => undefined;

  constructor(options: ConnectionRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Number of WebSockets that are open and not closing. */
  get size(): number {
    let open = 0;
    for (const { readyState, OPEN } of this.#sockets.keys()) if (readyState === OPEN) open += 1;
    return open;
  }

  get slowCount(): number {
    let count = 0;
    for (const sendBuffer of this.#sockets.values()) if (sendBuffer.isSlow) count += 1;
    return count;
  }

  /** Total number of unsent bytes of all WebSockets. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const sendBuffer of this.#sockets.values()) bytes += sendBuffer.bufferedBytes;
    return bytes;
  }

  /** Largest number of unsent bytes of one WebSocket. */
  get maxUnsentBytes(): number {
    let bytes = 0;
    for (const sendBuffer of this.#sockets.values()) bytes = Math.max(bytes, sendBuffer.bufferedBytes);
    return bytes;
  }

  /** Returns the most recent round trips in milliseconds, in ascending order. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  /**
   * Registers a WebSocket until it closes and sends a first ping.
   * @param stream stream that the frames of the WebSocket are written to
   */
  add(socket: WebSocket, stream: Duplex): SendBuffer {
    const { clock, maxBufferedBytes, maxSlowMs } = this.#options;
    const sendBuffer = new SendBuffer(stream, {
      clock,
      maxBufferedBytes,
      maxSlowMs,
      onPingNeeded: () => this.#sendDuePings(),
      onTooSlow: () => socket.close(CLOSE_TRY_AGAIN_LATER, 'Client reads too slowly'),
      sendPing() {
        if (socket.readyState === socket.OPEN) socket.ping();
      },
    });
    this.#sockets.set(socket, sendBuffer);
    socket.on('pong', () => {
      const roundTripMs = sendBuffer.recordPong();
      if (roundTripMs === null) return;
      this.#roundTripsMs.push(roundTripMs);
      if (this.#roundTripsMs.length > MAX_ROUND_TRIPS) this.#roundTripsMs.shift();
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onAllClosed();
      sendBuffer[Symbol.dispose]();
    });
    sendBuffer.ping();
    this.#timer ??= this.#scheduleCheck();
    return sendBuffer;
  }

  /** Returns one function per open WebSocket that closes it. */
  closeActions(code: number, reason: string): (() => void)[] {
    return [...this.#sockets.keys()].map((socket) => () => socket.close(code, reason));
  }

  /** Resolves when all WebSockets are closed. */
  allClosed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve();
      else this.#onAllClosed = resolve;
    });
  }

  terminateAll(): void {
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#nextBatch?.[Symbol.dispose]();
  }

  #scheduleCheck(): Disposable {
    return scheduleDeadline(this.#clock, CHECK_INTERVAL_MS, () => this.#check());
  }

  #check(): void {
    this.#timer = this.#sockets.size === 0 ? null : this.#scheduleCheck();
    const nowMs = this.#clock.monotonic();
    for (const [socket, { isSlow, pingedAtMs }] of this.#sockets) {
      // The ping of a slow WebSocket waits behind unread bytes; `maxSlowMs` applies to it instead.
      if (!isSlow && pingedAtMs !== null && nowMs - pingedAtMs >= PING_TIMEOUT_MS) socket.terminate();
    }
    this.#sendDuePings();
  }

  /** Pings every WebSocket whose ping is due, in batches. */
  #sendDuePings(): void {
    if (this.#nextBatch !== null) return;
    const sinceMs = this.#clock.monotonic() - PING_INTERVAL_MS;
    let remaining = MAX_PINGS_PER_BATCH;
    for (const sendBuffer of this.#sockets.values()) {
      if (!sendBuffer.isPingDue(sinceMs)) continue;
      if (remaining === 0) {
        this.#nextBatch = this.#clock.schedule(BATCH_INTERVAL_MS, () => {
          this.#nextBatch = null;
          this.#sendDuePings();
        });
        return;
      }
      sendBuffer.ping();
      remaining -= 1;
    }
  }
}
