import type { WebSocket } from 'ws';
import type { Clock } from '../shared/index.js';

/** Unsent bytes above which a socket counts as slow. */
export const SLOW_SOCKET_BYTES = 1024 * 1024;
/** A socket that does not answer a ping until the next one is gone. */
const PING_MS = 10_000;
/** Round trips that the percentiles are taken of. */
const MAX_SAMPLES = 1_000;

/** The open WebSockets: keeps them alive, measures their round trips, ends those that no longer answer. */
export class Connections implements Disposable {
  readonly #sockets = new Map<WebSocket, { pingedAtMs: number | null }>();
  readonly #roundTripsMs: number[] = [];
  readonly #clock: Clock;
  #timer: Disposable | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#sockets.size;
  }

  get slow(): number {
    let slow = 0;
    for (const socket of this.#sockets.keys()) if (socket.bufferedAmount > SLOW_SOCKET_BYTES) slow += 1;
    return slow;
  }

  /** Sorted, milliseconds, of the newest pings. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  add(socket: WebSocket): void {
    const state = { pingedAtMs: null as number | null };
    this.#sockets.set(socket, state);
    socket.on('pong', () => {
      if (state.pingedAtMs === null) return;
      this.#roundTripsMs.push(this.#clock.monotonic() - state.pingedAtMs);
      if (this.#roundTripsMs.length > MAX_SAMPLES) this.#roundTripsMs.shift();
      state.pingedAtMs = null;
    });
    socket.once('close', () => this.#sockets.delete(socket));
    this.#ping(socket, state);
    this.#timer ??= this.#clock.schedule(PING_MS, () => this.#pingAll());
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
      if (state.pingedAtMs !== null) socket.terminate();
      else this.#ping(socket, state);
    }
  }

  #ping(socket: WebSocket, state: { pingedAtMs: number | null }): void {
    if (socket.readyState !== socket.OPEN) return;
    state.pingedAtMs = this.#clock.monotonic();
    socket.ping();
  }
}
