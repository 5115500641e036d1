import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Clock, type Logger, scheduleDeadline } from '../../shared/index.js';
import type { CloseCounters } from '../limits/close-counters.js';
import type { LivenessMonitor } from '../limits/liveness-monitor.js';
import { Connection } from './connection.js';

/** Interval between two keep-alive pings of one WebSocket. */
const PING_INTERVAL_MS = 20_000;
const CHECK_INTERVAL_MS = 5_000;
/** Largest number of pings per batch. Pongs that arrive together are cheap, but too many at once delay a tick. */
const MAX_PINGS_PER_BATCH = 64;
const BATCH_INTERVAL_MS = 5;
/** Number of recent round trips that the percentiles are computed from. */
const MAX_ROUND_TRIPS = 1_000;

export interface ConnectionRegistryOptions {
  readonly clock: Clock;
  /** Monitor that closes unresponsive clients. Owned by the caller. */
  readonly liveness: LivenessMonitor;
  /** Unsent bytes above which a WebSocket receives no updates until they are sent. */
  readonly maxBufferedBytes: number;
  readonly closes: CloseCounters;
  readonly logger: Logger;
}

/** Registry of all open WebSockets. Sends keep-alive pings and measures round trips. */
export class ConnectionRegistry implements Disposable {
  readonly #connections = new Set<Connection>();
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
    for (const { isOpen } of this.#connections) if (isOpen) open += 1;
    return open;
  }

  get slowCount(): number {
    let count = 0;
    for (const { sendBuffer } of this.#connections) if (sendBuffer.isSlow) count += 1;
    return count;
  }

  /** Total number of unsent bytes of all WebSockets. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const { sendBuffer } of this.#connections) bytes += sendBuffer.bufferedBytes;
    return bytes;
  }

  /** Largest number of unsent bytes of one WebSocket. */
  get maxUnsentBytes(): number {
    let bytes = 0;
    for (const { sendBuffer } of this.#connections) bytes = Math.max(bytes, sendBuffer.bufferedBytes);
    return bytes;
  }

  /** Returns the most recent round trips in milliseconds, in ascending order. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  /**
   * Registers a WebSocket until it closes and sends a first ping.
   * @param stream stream that the frames of the WebSocket are written to
   * @param logFields returns the client for the log
   */
  add(socket: WebSocket, stream: Duplex, logFields: () => Readonly<Record<string, unknown>>): Connection {
    const connection = new Connection(socket, stream, logFields, {
      ...this.#options,
      onPingNeeded: () => this.#sendDuePings(),
      onRoundTrip: (roundTripMs) => {
        this.#roundTripsMs.push(roundTripMs);
        if (this.#roundTripsMs.length > MAX_ROUND_TRIPS) this.#roundTripsMs.shift();
      },
    });
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onAllClosed();
    });
    this.#timer ??= this.#scheduleCheck();
    return connection;
  }

  /** Returns one function per open WebSocket that closes it. */
  closeActions(code: number, reason: string): (() => void)[] {
    return [...this.#connections].map((connection) => () => connection.close(code, reason));
  }

  /** Resolves when all WebSockets are closed. */
  allClosed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#connections.size === 0) resolve();
      else this.#onAllClosed = resolve;
    });
  }

  terminateAll(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#nextBatch?.[Symbol.dispose]();
  }

  #scheduleCheck(): Disposable {
    return scheduleDeadline(this.#clock, CHECK_INTERVAL_MS, () => {
      this.#timer = this.#connections.size === 0 ? null : this.#scheduleCheck();
      this.#sendDuePings();
    });
  }

  /** Pings every WebSocket whose ping is due, in batches. */
  #sendDuePings(): void {
    if (this.#nextBatch !== null) return;
    const sinceMs = this.#clock.monotonic() - PING_INTERVAL_MS;
    let remaining = MAX_PINGS_PER_BATCH;
    for (const { sendBuffer } of this.#connections) {
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
