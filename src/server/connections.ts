import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../shared/index.js';
import { Outlet } from './outlet.js';

/** A socket that does not answer a ping for so long is gone. */
const PING_MS = 10_000;
/** Parts of that time, each of which asks its share of the sockets: all at once would hold up a tick. */
const PING_TURNS = 16;
/** Round trips that the percentiles are taken of. */
const MAX_SAMPLES = 1_000;
/** Its multiples less their whole parts lie evenly between 0 and 1, however many there are. */
const GOLDEN_RATIO = 0.618_033_988_749_895;
/** WebSocket close code that clients answer by connecting again, later. */
const TRY_AGAIN_LATER = 1013;

export interface ConnectionsOptions {
  readonly clock: Clock;
  /** Unsent bytes above which a socket gets no further updates until they have gone. */
  readonly maxBufferedBytes: number;
  /** How long a socket may stay like that; `null`: for ever. */
  readonly maxSlowMs: number | null;
}

/** The open WebSockets: keeps them alive, measures their round trips, ends those that no longer answer or keep up. */
export class Connections implements Disposable {
  readonly #sockets = new Map<WebSocket, Outlet>();
  readonly #roundTripsMs: number[] = [];
  readonly #options: ConnectionsOptions;
  readonly #clock: Clock;
  #timer: Disposable | null = null;
  #added = 0;
  #turn = 0;

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
    for (const outlet of this.#sockets.values()) if (outlet.slow) slow += 1;
    return slow;
  }

  /** What waits to be sent, all sockets together. */
  get unsentBytes(): number {
    let bytes = 0;
    for (const outlet of this.#sockets.values()) bytes += outlet.bufferedBytes;
    return bytes;
  }

  /** Sorted, milliseconds, of the newest pings. */
  roundTripsMs(): readonly number[] {
    return this.#roundTripsMs.toSorted((a, b) => a - b);
  }

  /** @param stream what the socket's frames are written to */
  add(socket: WebSocket, stream: Duplex): Outlet {
    const { clock, maxBufferedBytes, maxSlowMs } = this.#options;
    this.#added += 1;
    const outlet = new Outlet(stream, {
      clock,
      maxBufferedBytes,
      maxSlowMs,
      phase: (this.#added * GOLDEN_RATIO) % 1,
      onTooSlow: () => socket.close(TRY_AGAIN_LATER, 'Too slow to read'),
      sendPing() {
        if (socket.readyState === socket.OPEN) socket.ping();
      },
    });
    this.#sockets.set(socket, outlet);
    socket.on('pong', () => {
      const roundTripMs = outlet.pong();
      if (roundTripMs === null) return;
      this.#roundTripsMs.push(roundTripMs);
      if (this.#roundTripsMs.length > MAX_SAMPLES) this.#roundTripsMs.shift();
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      outlet[Symbol.dispose]();
    });
    outlet.ping();
    this.#timer ??= this.#scheduleTurn();
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

  #scheduleTurn(): Disposable {
    return this.#clock.schedule(PING_MS / PING_TURNS, () => this.#pingTurn());
  }

  #pingTurn(): void {
    this.#timer = this.#sockets.size === 0 ? null : this.#scheduleTurn();
    this.#turn = (this.#turn + 1) % PING_TURNS;
    const nowMs = this.#clock.monotonic();
    for (const [socket, outlet] of this.#sockets) {
      // The ping of one that is slow waits behind what it has not read: how long that may last is said elsewhere.
      if (outlet.slow || Math.floor(outlet.phase * PING_TURNS) !== this.#turn) continue;
      if (outlet.pingedAtMs !== null && nowMs - outlet.pingedAtMs >= PING_MS) socket.terminate();
      else outlet.ping();
    }
  }
}
