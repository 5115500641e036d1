import type { ClientRequestArgs } from 'node:http';
import { WebSocket } from 'ws';
import {
  backoffDelayMs,
  type Clock,
  isTapRejection,
  MAX_MESSAGE_BYTES,
  scheduleDeadline,
  TAP_CLOSE_ENDED,
} from '../../shared/index.js';

/** Backoff between two attempts to connect. */
const BACKOFF = { initialMs: 500, maxMs: 30_000 };
/** Delay after a rejection, which lasts until a person acts. */
const REJECTED_BACKOFF = { initialMs: 300_000, maxMs: 300_000 };
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Duration after which a connection counts as stable and resets the backoff. */
const STABLE_AFTER_MS = 10_000;
/** Interval between pings. A connection without a pong by the next ping is closed. */
const PING_INTERVAL_MS = 20_000;
/** Most bytes that wait to be sent. Further messages are dropped. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

export interface UplinkOptions {
  readonly url: string;
  readonly token: string | null;
  readonly clock: Clock;
  /** Random numbers in [0, 1) for the jitter. */
  readonly random: () => number;
}

export interface UplinkEvents {
  readonly onMessage: (text: string) => void;
  readonly onClose: () => void;
}

/** WebSocket from a tap to swarmlens. Reconnects forever and reports no errors, because swarmlens is optional. */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #events: UplinkEvents;
  #socket: WebSocket | null = null;
  #hasEnded = false;
  /** Number of consecutive connections that did not become stable. */
  #failures = 0;
  #dropped = 0;

  constructor(options: UplinkOptions, events: UplinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#connect();
  }

  /** Returns the number of messages dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message immediately, or drops it if the connection is closed or congested. */
  send(message: object): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) this.#dropped += 1;
    else socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Closes the connection for good. The system takes the close frame immediately, so nothing is awaited. */
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
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    let isRejected = false;
    let openedAtMs = Infinity;
    let pings: Disposable | null = null;
    socket.on('open', () => {
      openedAtMs = clock.monotonic();
      pings = this.#keepAlive(socket);
    });
    socket.on('message', (data: Buffer) => {
      this.#events.onMessage(data.toString('utf8'));
    });
    // A `close` event follows.
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      isRejected = statusCode >= 300 && statusCode < 500;
      request.destroy();
      socket.terminate();
    });
    socket.once('close', (code) => {
      pings?.[Symbol.dispose]();
      if (clock.monotonic() - openedAtMs >= STABLE_AFTER_MS) this.#failures = 0;
      this.#socket = null;
      this.#events.onClose();
      this.#scheduleReconnect(isRejected || isTapRejection(code));
    });
  }

  #scheduleReconnect(isRejected: boolean): void {
    if (this.#hasEnded) return;
    const { clock, random } = this.#options;
    this.#failures += 1;
    const delayMs = isRejected
      ? backoffDelayMs(1, REJECTED_BACKOFF, random)
      : backoffDelayMs(this.#failures, BACKOFF, random);
    clock.schedule(delayMs, () => this.#connect());
  }

  /** Pings the server and terminates a connection that no longer answers. */
  #keepAlive(socket: WebSocket): Disposable {
    let isAnswered = true;
    let timer: Disposable;
    socket.on('pong', () => (isAnswered = true));
    const check = (): void => {
      timer = scheduleDeadline(this.#options.clock, PING_INTERVAL_MS, check);
      if (!isAnswered) socket.terminate();
      isAnswered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    };
    timer = scheduleDeadline(this.#options.clock, PING_INTERVAL_MS, check);
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }
}
