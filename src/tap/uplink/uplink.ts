import type { ClientRequestArgs } from 'node:http';
import { WebSocket } from 'ws';
import {
  backoffDelayMs,
  type Clock,
  errorMessage,
  isTapRejection,
  loadTapKey,
  MAX_MESSAGE_BYTES,
  scheduleDeadline,
  type SealedChannel,
  TAP_CLOSE_ENDED,
  TAP_HANDSHAKE_TIMEOUT_MS,
  TAP_PROTOCOLS,
} from '../../shared/index.js';
import { UplinkHandshake } from './uplink-handshake.js';

/** Backoff between two attempts to connect. */
const BACKOFF = { initialMs: 500, maxMs: 30_000 };
/** Delay after a rejection, which lasts until a person acts. */
const REJECTED_BACKOFF = { initialMs: 300_000, maxMs: 300_000 };
/** Duration after which a connection counts as stable and resets the backoff. */
const STABLE_AFTER_MS = 10_000;
/** Interval between pings. A connection without a pong by the next ping is closed. */
const PING_INTERVAL_MS = 20_000;
/** Most bytes that wait to be sent. Further messages are dropped. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** Largest encrypted message: a message, and the authentication tag. */
const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 1_024;

export interface UplinkOptions {
  readonly url: string;
  /** First message to swarmlens, after the handshake. */
  readonly join: UplinkJoin;
  /** Token for swarmlens. Null if it requires none. */
  readonly token: string | null;
  /** Path of the tap key. Null if TLS proves the identity of swarmlens. */
  readonly keyFile: string | null;
  /** Reports a problem to the user, once per text. */
  readonly notify: (text: string) => void;
  readonly clock: Clock;
  /** Random numbers in [0, 1) for the jitter. */
  readonly random: () => number;
}

/** Registration of the tap. */
export interface UplinkJoin {
  /** Name under which swarmlens shows the server. */
  readonly server: string;
  /** Random id of this tap. */
  readonly instance: string;
  /** Identity of the MCP client that started this tap, equal for all of its taps. Omitted if it is unknown. */
  readonly client?: string;
  /** Keys of the processes that have started the tap, the nearest first, and of its directory. Omitted if they are unknown. */
  readonly origin?: { readonly processKeys: readonly string[]; readonly directoryKey: string };
  /** Names of the tools that swarmlens may call in addition to reading tools. */
  readonly allowTools: readonly string[];
}

export interface UplinkEvents {
  readonly onMessage: (text: string) => void;
  readonly onClose: () => void;
}

/**
 * WebSocket from a tap to swarmlens. Sends nothing about the session, and no token, before swarmlens has proved its identity.
 * Reconnects forever, because swarmlens is optional.
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #events: UplinkEvents;
  #connection: UplinkConnection | null = null;
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

  /** Whether swarmlens is connected and has proved its identity. */
  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  /** Sends a message immediately, or drops it if the connection is closed or congested. */
  send(message: object): void {
    const connection = this.#connection;
    if (connection?.isOpen !== true) return;
    if (connection.bufferedAmount > MAX_UNSENT_BYTES) this.#dropped += 1;
    else connection.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Closes the connection for good. The system takes the close frame immediately, so nothing is awaited. */
  end(): void {
    this.#hasEnded = true;
    this.#connection?.end();
  }

  #connect(): void {
    if (this.#hasEnded) return;
    const { keyFile, notify } = this.#options;
    if (keyFile === null) {
      this.#open(null);
      return;
    }
    loadTapKey(keyFile).then(
      (key) => this.#open(key),
      (error: unknown) => {
        notify(`The session is not observed, because the tap key cannot be used: ${errorMessage(error)}`);
        this.#scheduleReconnect(false);
      },
    );
  }

  #open(key: Buffer | null): void {
    if (this.#hasEnded) return;
    const { clock } = this.#options;
    this.#connection = new UplinkConnection(key, this.#options, {
      onMessage: this.#events.onMessage,
      onClose: (isRejected, openedAtMs) => {
        this.#connection = null;
        if (clock.monotonic() - openedAtMs >= STABLE_AFTER_MS) this.#failures = 0;
        this.#events.onClose();
        this.#scheduleReconnect(isRejected);
      },
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
}

interface ConnectionEvents {
  readonly onMessage: (text: string) => void;
  /** @param openedAtMs monotonic time at which the handshake was complete; Infinity if it was not */
  readonly onClose: (isRejected: boolean, openedAtMs: number) => void;
}

/** One connection to swarmlens. */
class UplinkConnection {
  readonly #options: UplinkOptions;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  /** Null if TLS proves the identity of swarmlens. */
  readonly #handshake: UplinkHandshake | null;
  #channel: SealedChannel | null = null;
  #openedAtMs = Infinity;
  #isRejected = false;
  /** Deadline of the handshake, then the next ping. */
  #timer: Disposable;

  constructor(key: Buffer | null, options: UplinkOptions, events: ConnectionEvents) {
    const { url, token, clock } = options;
    this.#options = options;
    this.#events = events;
    this.#handshake = key === null ? null : new UplinkHandshake(key);
    const headers: ClientRequestArgs['headers'] =
      token === null || key !== null ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, [key === null ? TAP_PROTOCOLS.token : TAP_PROTOCOLS.key], {
      headers,
      handshakeTimeout: TAP_HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    this.#timer = scheduleDeadline(clock, TAP_HANDSHAKE_TIMEOUT_MS, () => this.#fail('did not answer in time'));
    socket.on('open', () => {
      if (this.#handshake === null) this.#join();
      else socket.send(this.#handshake.challenge);
    });
    socket.on('message', (data: Buffer) => this.#receive(data));
    // A `close` event follows.
    socket.on('error', (error) => {
      if (isProtocolError(error)) this.#report('does not speak the protocol of this tap');
    });
    socket.on('unexpected-response', (request, { statusCode = 0 }) => {
      this.#isRejected = statusCode >= 300 && statusCode < 500;
      if (this.#isRejected) this.#report(`refused the tap with HTTP status ${statusCode}`);
      request.destroy();
      socket.terminate();
    });
    socket.once('close', (code, reason) => {
      this.#timer[Symbol.dispose]();
      // Before the handshake, any program may have sent the code.
      if (this.#openedAtMs !== Infinity && isTapRejection(code)) {
        this.#isRejected = true;
        this.#report(`refused the tap: ${reason.toString()}`);
      }
      events.onClose(this.#isRejected, this.#openedAtMs);
    });
  }

  get isOpen(): boolean {
    return this.#openedAtMs !== Infinity && this.#socket.readyState === WebSocket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    this.#socket.send(this.#channel === null ? text : this.#channel.seal(text));
  }

  end(): void {
    if (this.isOpen) this.#socket.close(TAP_CLOSE_ENDED.code, TAP_CLOSE_ENDED.reason);
    else this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.isOpen) {
      this.#finishHandshake(data);
      return;
    }
    let text: string;
    try {
      text = (this.#channel === null ? data : this.#channel.open(data)).toString('utf8');
    } catch {
      this.#fail('sent a message that was changed on its way');
      return;
    }
    this.#events.onMessage(text);
  }

  #finishHandshake(data: Buffer): void {
    const finished = this.#handshake?.finish(data.toString('utf8'));
    if (finished == null) {
      this.#fail(`did not prove that it knows the tap key ${this.#options.keyFile ?? ''}`);
      return;
    }
    this.#socket.send(finished.proof);
    this.#channel = finished.channel;
    this.#join();
  }

  #join(): void {
    const { clock, join, token } = this.#options;
    this.#openedAtMs = clock.monotonic();
    // In the other case the request that opened the connection contained the token.
    this.send(JSON.stringify(this.#channel === null ? join : { ...join, token }));
    this.#timer[Symbol.dispose]();
    this.#keepAlive();
  }

  #fail(reason: string): void {
    this.#report(reason);
    this.#socket.terminate();
  }

  #report(reason: string): void {
    const { origin } = new URL(this.#options.url);
    this.#options.notify(`The session is not observed, because the program at ${origin} ${reason}.`);
  }

  /** Pings the server and terminates a connection that no longer answers. */
  #keepAlive(): void {
    let isAnswered = true;
    const socket = this.#socket;
    socket.on('pong', () => (isAnswered = true));
    const check = (): void => {
      this.#timer = scheduleDeadline(this.#options.clock, PING_INTERVAL_MS, check);
      if (!isAnswered) socket.terminate();
      isAnswered = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    };
    this.#timer = scheduleDeadline(this.#options.clock, PING_INTERVAL_MS, check);
  }
}

/** Returns whether an error of `ws` concerns the protocol and not the network. */
function isProtocolError(error: Error): boolean {
  return !('code' in error) || String(error.code).startsWith('WS_ERR_');
}
