import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import {
  CLOSE_ABNORMAL,
  CLOSE_TRY_AGAIN_LATER,
  type Clock,
  type Logger,
  truncateCloseReason,
} from '../../shared/index.js';
import type { CloseCounters } from '../limits/close-counters.js';
import type { LivenessMonitor, MonitoredClient } from '../limits/liveness-monitor.js';
import { SendBuffer } from './send-buffer.js';

/** Close codes that `ws` sends for its errors. All other errors of `ws` are protocol errors. */
const CODES_OF_ERRORS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};
const CLOSE_PROTOCOL_ERROR = 1002;

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly liveness: LivenessMonitor;
  readonly maxBufferedBytes: number;
  readonly closes: CloseCounters;
  readonly logger: Logger;
  readonly onPingNeeded: () => void;
  /** Called with each round trip in milliseconds. */
  readonly onRoundTrip: (roundTripMs: number) => void;
}

/** WebSocket of one client: its backpressure, its liveness, and the record of its end. */
export class Connection implements MonitoredClient {
  readonly socket: WebSocket;
  /** Stream that the frames of the WebSocket are written to. */
  readonly stream: Duplex;
  readonly sendBuffer: SendBuffer;
  readonly #options: ConnectionOptions;
  readonly #openedAtMs: number;
  #sentClose: { readonly code: number; readonly reason: string } | null = null;

  /** @param logFields returns the client for the log */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    logFields: () => Readonly<Record<string, unknown>>,
    options: ConnectionOptions,
  ) {
    const { clock, liveness, maxBufferedBytes, onPingNeeded, onRoundTrip } = options;
    this.socket = socket;
    this.stream = stream;
    this.#options = options;
    this.#openedAtMs = clock.monotonic();
    this.sendBuffer = new SendBuffer(stream, {
      clock,
      liveness,
      maxBufferedBytes,
      onPingNeeded,
      sendPing() {
        if (socket.readyState === socket.OPEN) socket.ping();
      },
    });
    const monitoring = liveness.watch(this);
    socket.on('pong', () => {
      const roundTripMs = this.sendBuffer.recordPong();
      if (roundTripMs !== null) onRoundTrip(roundTripMs);
    });
    socket.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      options.logger.debug({ ...logFields(), error: message }, 'socket error');
      // `ws` closes the WebSocket itself.
      if (code.startsWith('WS_ERR_')) {
        this.#sentClose ??= { code: CODES_OF_ERRORS[code] ?? CLOSE_PROTOCOL_ERROR, reason: code };
      }
    });
    socket.once('close', (code, reason) => {
      monitoring[Symbol.dispose]();
      this.sendBuffer[Symbol.dispose]();
      this.#record(code, reason.toString('utf8'), logFields());
    });
    this.sendBuffer.ping();
  }

  /** Whether the WebSocket is open and not closing. */
  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Closes the WebSocket. A reason that is too long for a close frame is truncated. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#sentClose = { code, reason };
    this.socket.close(code, truncateCloseReason(reason));
  }

  /** Ends the connection without waiting for the client. */
  terminate(): void {
    if (this.isOpen) this.#sentClose ??= { code: CLOSE_ABNORMAL, reason: '' };
    this.socket.terminate();
  }

  waitingSinceMs(): number | null {
    return this.isOpen ? this.sendBuffer.waitingSinceMs : null;
  }

  closeUnresponsive(): void {
    this.#options.closes.unresponsive('websocket');
    this.close(
      CLOSE_TRY_AGAIN_LATER,
      this.sendBuffer.isSlow ? 'Client reads too slowly' : 'Client did not answer a ping',
    );
  }

  /** Sends a message uncompressed, because `ws` would need a compressor for each WebSocket. Resolves when the client can receive another one. */
  async send(message: string): Promise<void> {
    if (!this.isOpen) return;
    // An error ends the connection, and its `close` event all operations.
    const sent = new Promise<void>((resolve) => this.socket.send(message, { compress: false }, () => resolve()));
    this.sendBuffer.recordSent(Buffer.byteLength(message));
    const drained = this.sendBuffer.drained();
    await sent;
    await drained;
  }

  #record(receivedCode: number, receivedReason: string, logFields: Readonly<Record<string, unknown>>): void {
    const { clock, closes, logger } = this.#options;
    const side = this.#sentClose === null ? 'client' : 'server';
    const { code, reason } = this.#sentClose ?? { code: receivedCode, reason: receivedReason };
    closes.webSocketClosed(code, side);
    const durationMs = Math.round(clock.monotonic() - this.#openedAtMs);
    logger.debug({ ...logFields, code, reason, side, durationMs }, 'websocket closed');
  }
}
