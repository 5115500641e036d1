import type { ClientRequestArgs } from 'node:http';
import { WebSocket } from 'ws';
import { type Clock, isTapRejection, scheduleDeadline, TAP_CLOSE_ENDED } from '../../shared/index.js';

/** Between two attempts: doubling, half of it jitter. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** After a refusal, which waits for a person to do something. */
const REFUSED_PAUSE_MS = 300_000;
const HANDSHAKE_MS = 10_000;
/** A connection that stood for so long was a good one. */
const LASTING_MS = 10_000;
/** Between two looks at whether anyone is still there. */
const PING_MS = 20_000;
/** What waits to be sent; what comes on top of it is dropped. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** Of what swarmlens says: a call with its arguments. */
const MAX_RECEIVED_BYTES = 10 * 1024 * 1024;

export interface UplinkOptions {
  readonly url: string;
  readonly token: string | null;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

export interface UplinkEvents {
  readonly onMessage: (text: string) => void;
  readonly onClose: () => void;
}

/** The connection to swarmlens, which may be away, slow or unwilling: it is tried again for ever, and nobody is told. */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #events: UplinkEvents;
  #socket: WebSocket | null = null;
  #hasEnded = false;
  /** In a row that led to nothing lasting. */
  #failures = 0;
  #dropped = 0;

  constructor(options: UplinkOptions, events: UplinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#connect();
  }

  /** What could not be sent since this was asked last. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends it now, or not at all. */
  send(message: object): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) this.#dropped += 1;
    else socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Says that there is nothing more to see. What says so is handed to the system at once; nobody waits for more. */
  end(): void {
    this.#hasEnded = true;
    if (this.isOpen) this.#socket?.close(TAP_CLOSE_ENDED.code, TAP_CLOSE_ENDED.reason);
    else this.#socket?.terminate();
  }

  #connect(): void {
    if (this.#hasEnded) return;
    const { url, token, clock } = this.#options;
    const headers: ClientRequestArgs['headers'] = token === null ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, {
      headers,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_RECEIVED_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    let isRefused = false;
    let openedAtMs = Infinity;
    let pings: Disposable | null = null;
    socket.on('open', () => {
      openedAtMs = clock.monotonic();
      pings = this.#keepAlive(socket);
    });
    socket.on('message', (data: Buffer) => {
      this.#events.onMessage(data.toString('utf8'));
    });
    // Its close follows.
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      isRefused = statusCode >= 300 && statusCode < 500;
      request.destroy();
      socket.terminate();
    });
    socket.once('close', (code) => {
      pings?.[Symbol.dispose]();
      if (clock.monotonic() - openedAtMs >= LASTING_MS) this.#failures = 0;
      this.#socket = null;
      this.#events.onClose();
      this.#connectLater(isRefused || isTapRejection(code));
    });
  }

  #connectLater(isRefused: boolean): void {
    if (this.#hasEnded) return;
    const { clock, random } = this.#options;
    const growing = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    clock.schedule((isRefused ? REFUSED_PAUSE_MS : growing) * (0.5 + random() / 2), () => this.#connect());
  }

  /** A connection may be gone without a word. */
  #keepAlive(socket: WebSocket): Disposable {
    let isAnswered = true;
    let timer: Disposable;
    socket.on('pong', () => (isAnswered = true));
    const look = (): void => {
      timer = scheduleDeadline(this.#options.clock, PING_MS, look);
      if (!isAnswered) socket.terminate();
      isAnswered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    };
    timer = scheduleDeadline(this.#options.clock, PING_MS, look);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }
}
