import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Clock, scheduleDeadline } from '../../shared/index.js';
import { SendBuffer } from './send-buffer.js';

/** A socket of which nothing was asked for so long is asked whether it is there; */
const PING_MS = 20_000;
/** one that does not answer within this is gone; */
const ANSWER_MS = 10_000;
/** and this is how often that is looked at. */
const LOOK_MS = 5_000;
/** Answers cost less when several come at once, and hold up a tick when all do. */
const MAX_PINGS_AT_ONCE = 64;
const BETWEEN_PINGS_MS = 5;
/** Round trips that the percentiles are taken of. */
const MAX_SAMPLES = 1_000;
/** WebSocket close code that clients answer by connecting again, later. */
const TRY_AGAIN_LATER = 1013;

export interface ConnectionRegistryOptions {
  readonly clock: Clock;
  /** Unsent bytes above which a socket gets no further updates until they have gone. */
  readonly maxBufferedBytes: number;
  /** How long a socket may stay like that; `null`: for ever. */
  readonly maxSlowMs: number | null;
}

/** The open WebSockets: keeps them alive, measures their round trips, ends those that no longer answer or keep up. */
export class ConnectionRegistry implements Disposable {
  readonly #sockets = new Map<WebSocket, SendBuffer>();
  readonly #roundTripsMs: number[] = [];
  readonly #options: ConnectionRegistryOptions;
  readonly #clock: Clock;
  #timer: Disposable | null = null;
  #pendingRequest: Disposable | null = null;
  #onGone: () => void = () => undefined;

  constructor(options: ConnectionRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Those that are not closing. */
  get size(): number {
    let open = 0;
    for (const { readyState, OPEN } of this.#sockets.keys()) if (readyState === OPEN) open += 1;
    return open;
  }

  get slowCount(): number {
    let slow = 0;
    for (const outlet of this.#sockets.values()) if (outlet.isSlow) slow += 1;
    return slow;
  }

  /** What waits to be sent, all sockets together. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const outlet of this.#sockets.values()) bytes += outlet.bufferedBytes;
    return bytes;
  }

  /** What waits to be sent to the one for whom most does. */
  get maxUnsentBytes(): number {
    let bytes = 0;
    for (const outlet of this.#sockets.values()) bytes = Math.max(bytes, outlet.bufferedBytes);
    return bytes;
  }

  /** Sorted, milliseconds, of the newest pings. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  /** @param stream what the socket's frames are written to */
  add(socket: WebSocket, stream: Duplex): SendBuffer {
    const { clock, maxBufferedBytes, maxSlowMs } = this.#options;
    const outlet = new SendBuffer(stream, {
      clock,
      maxBufferedBytes,
      maxSlowMs,
      onPingNeeded: () => this.#request(),
      onTooSlow: () => socket.close(TRY_AGAIN_LATER, 'Too slow to read'),
      sendPing() {
        if (socket.readyState === socket.OPEN) socket.ping();
      },
    });
    this.#sockets.set(socket, outlet);
    socket.on('pong', () => {
      const roundTripMs = outlet.recordPong();
      if (roundTripMs === null) return;
      this.#roundTripsMs.push(roundTripMs);
      if (this.#roundTripsMs.length > MAX_SAMPLES) this.#roundTripsMs.shift();
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onGone();
      outlet[Symbol.dispose]();
    });
    outlet.ping();
    this.#timer ??= this.#scheduleLook();
    return outlet;
  }

  /** What asks each client that is connected now to leave. */
  closeActions(code: number, reason: string): (() => void)[] {
    return [...this.#sockets.keys()].map((socket) => () => socket.close(code, reason));
  }

  /** Resolves when none is left. */
  allClosed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve();
      else this.#onGone = resolve;
    });
  }

  terminateAll(): void {
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#pendingRequest?.[Symbol.dispose]();
  }

  #scheduleLook(): Disposable {
    return scheduleDeadline(this.#clock, LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#timer = this.#sockets.size === 0 ? null : this.#scheduleLook();
    const nowMs = this.#clock.monotonic();
    for (const [socket, { isSlow, pingedAtMs }] of this.#sockets) {
      // The ping of one that is slow waits behind what it has not read: how long that may last is said elsewhere.
      if (!isSlow && pingedAtMs !== null && nowMs - pingedAtMs >= ANSWER_MS) socket.terminate();
    }
    this.#request();
  }

  /** Those of which it is time, a few at once. */
  #request(): void {
    if (this.#pendingRequest !== null) return;
    const sinceMs = this.#clock.monotonic() - PING_MS;
    let left = MAX_PINGS_AT_ONCE;
    for (const outlet of this.#sockets.values()) {
      if (!outlet.isPingDue(sinceMs)) continue;
      if (left === 0) {
        this.#pendingRequest = this.#clock.schedule(BETWEEN_PINGS_MS, () => {
          this.#pendingRequest = null;
          this.#request();
        });
        return;
      }
      outlet.ping();
      left -= 1;
    }
  }
}
