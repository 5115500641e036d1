import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { WebSocket } from 'ws';
import { FrameSplitter } from './frame-splitter.js';
import { MAX_MESSAGE_BYTES, CLOSE_ABNORMAL, CLOSE_GOING_AWAY, MAX_CLOSE_REASON_BYTES } from '../../../shared/index.js';
import { LineTransport, MESSAGE_TOO_LONG } from '../line-transport.js';
import { toPrintableLine } from '../../../shared/sanitize/index.js';
import type { MessageSocket } from '../../tap-connection.js';

/** Largest WebSocket frame: a message and its line end. */
export const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 2;
/** Code of a close frame without a code. */
const CLOSE_NO_STATUS = 1005;
/** Close codes of a server that ended the connection on purpose. */
const ORDERLY_CODES: ReadonlySet<number> = new Set([1000, CLOSE_GOING_AWAY, CLOSE_NO_STATUS]);

/**
 * Opens the socket of a transport. The socket is paused if messages may arrive before a listener is added.
 * @throws the reason of `signal` if it is aborted, or the connection error
 */
export type SocketOpener = (signal: AbortSignal) => Promise<MessageSocket>;

/** MCP over a WebSocket, which either side may have opened. */
export class WebSocketTransport extends LineTransport {
  readonly #open: SocketOpener;
  readonly #abort = new AbortController();
  #pendingOpen: Promise<MessageSocket> | null = null;
  #socket: MessageSocket | null = null;

  constructor(open: SocketOpener) {
    super();
    this.#open = open;
  }

  override async start(): Promise<void> {
    this.#pendingOpen = this.#open(this.#abort.signal);
    const socket = await this.#pendingOpen;
    // `release` closes the socket in this case.
    if (this.hasEnded) throw new Error('closed while connecting');
    this.#socket = socket;
    const lines = new FrameSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.fail(MESSAGE_TOO_LONG),
    );
    socket.on('message', (data) => {
      this.markReceived();
      lines.push(data);
    });
    socket.on('error', (error) =>
      this.fail(isTooLong(error) ? MESSAGE_TOO_LONG : `the connection was lost: ${error.message}`),
    );
    socket.on('close', (code, reason) => this.#handleClose(code, reason.toString()));
    // The socket may have closed before the listener was added.
    if (socket.readyState === WebSocket.CLOSED) this.#handleClose(CLOSE_ABNORMAL, '');
    socket.resume();
  }

  override send(message: JSONRPCMessage): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.hasEnded) return Promise.reject(new Error('Not connected'));
    // Errors are reported by the `error` event.
    return new Promise((resolve) => socket.send(JSON.stringify(message), () => resolve()));
  }

  protected override async release(): Promise<void> {
    this.#abort.abort(new Error('closed while connecting'));
    const socket = await this.#pendingOpen?.catch(() => null);
    if (socket == null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // The system takes the close frame immediately; the response to it is not awaited.
    socket.close(1000);
    socket.terminate();
    socket.resume();
    await closed;
  }

  protected override setPaused(isPaused: boolean): void {
    if (isPaused) this.#socket?.pause();
    else this.#socket?.resume();
  }

  #handleClose(code: number, reason: string): void {
    if (code === CLOSE_ABNORMAL) {
      this.fail('the connection was lost');
      return;
    }
    const detail =
      code === CLOSE_NO_STATUS ? '' : ` (${`${code} ${toPrintableLine(reason, MAX_CLOSE_REASON_BYTES)}`.trim()})`;
    this.fail(`the server closed the connection${detail}`, ORDERLY_CODES.has(code));
  }
}

function isTooLong(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
}
