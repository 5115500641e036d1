import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../shared/index.js';
import { Outlet } from './outlet.js';

/** A socket that does not answer a ping until the next one is gone. */
const PING_MS = 10_000;
/** Round trips that the percentiles are taken of. */
const MAX_SAMPLES = 1_000;
/** WebSocket close code that clients answer by connecting again, later. */
const TRY_AGAIN_LATER = 1013;

export interface ConnectionsOptions {
  readonly clock: Clock;
  /** Unsent bytes above which a socket gets no further updates until they have gone. */
  readonly maxBufferedBytes: number;
  /** How long a socket may stay like that; `null`: for ever. */
  readonly maxSlowMs: number | null;
}

interface SocketState {
  readonly outlet: Outlet;
  pingedAtMs: number | null;
}

/** The open WebSockets: keeps them alive, measures their round trips, ends those that no longer answer or keep up. */
export class Connections implements Disposable {
  readonly #sockets = new Map<WebSocket, SocketState>();
  readonly #roundTripsMs: number[] = [];
  readonly #options: ConnectionsOptions;
  readonly #clock: Clock;
  #timer: Disposable | null = null;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Those that are not closing. */
  get size(): number {
    let open = 0;
    for (const { readyState, OPEN } of this.#sockets.keys()) if (readyState === OPEN) open += 1;
    return open;
  }

  get slow(): number {
    let slow = 0;
    for (const { outlet } of this.#sockets.values()) if (outlet.slow) slow += 1;
    return slow;
  }

  /** What waits to be sent, all sockets together. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const { outlet } of this.#sockets.values()) bytes += outlet.bufferedBytes;
    return bytes;
  }

  /** Sorted, milliseconds, of the newest pings. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  /** @param stream what the socket's frames are written to */
  add(socket: WebSocket, stream: Duplex): Outlet {
    const { maxBufferedBytes, maxSlowMs } = this.#options;
    const onTooSlow = (): void => socket.close(TRY_AGAIN_LATER, 'Too slow to read');
    const outlet = new Outlet(stream, { clock: this.#clock, maxBufferedBytes, maxSlowMs, onTooSlow });
    const state: SocketState = { outlet, pingedAtMs: null };
    this.#sockets.set(socket, state);
    socket.on('pong', () => {
      if (state.pingedAtMs === null) return;
      this.#roundTripsMs.push(this.#clock.monotonic() - state.pingedAtMs);
      if (this.#roundTripsMs.length > MAX_SAMPLES) this.#roundTripsMs.shift();
      state.pingedAtMs = null;
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      outlet[Symbol.dispose]();
    });
    this.#ping(socket, state);
    this.#timer ??= this.#clock.schedule(PING_MS, () => this.#pingAll());
    return outlet;
  }

  /** Asks every client to come back elsewhere. */
  closeAll(code: number, reason: string): void {
    for (const socket of this.#sockets.keys()) socket.close(code, reason);
  }

  terminateAll(): void {
    for (const socket of this.#sockets.keys()) socket.terminate();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #pingAll(): void {
    this.#timer = this.#sockets.size === 0 ? null : this.#clock.schedule(PING_MS, () => this.#pingAll());
    for (const [socket, state] of this.#sockets) {
      // The ping of one that is slow waits behind what it has not read: how long that may last is said elsewhere.
      if (state.outlet.slow) state.pingedAtMs = null;
      else if (state.pingedAtMs !== null) socket.terminate();
      else this.#ping(socket, state);
    }
  }

  #ping(socket: WebSocket, state: SocketState): void {
    if (socket.readyState !== socket.OPEN) return;
    state.pingedAtMs = this.#clock.monotonic();
    socket.ping();
  }
}
