import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { WebSocket } from 'ws';
import { FrameSplitter } from './frame-splitter.js';
import { LineTransport, MAX_MESSAGE_BYTES, MESSAGE_TOO_LONG } from '../line-transport.js';
import { toPrintableLine } from '../../../shared/sanitize/index.js';

/** Of a frame: a message, and the end of its line. */
export const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 2;
const MAX_REASON_LENGTH = 123;
/** A frame said that it closes, and no more. */
const NO_CODE = 1005;
/** Close codes of a server that is done with us, or is going away. */
const ORDERLY: ReadonlySet<number> = new Set([1000, 1001, NO_CODE]);
/** No frame said that it closes. */
const BROKEN = 1006;

/**
 * @returns an open socket; paused, when something may arrive before it is listened to
 * @throws what `signal` was aborted with, or why there is no socket
 */
export type SocketOpener = (signal: AbortSignal) => Promise<WebSocket>;

/** MCP over a WebSocket, whoever of the two has opened it. */
export class WebSocketTransport extends LineTransport {
  readonly #open: SocketOpener;
  readonly #stop = new AbortController();
  #opening: Promise<WebSocket> | null = null;
  #socket: WebSocket | null = null;

  constructor(open: SocketOpener) {
    super();
    this.#open = open;
  }

  override async start(): Promise<void> {
    this.#opening = this.#open(this.#stop.signal);
    const socket = await this.#opening;
    // Closed while it was opening: there it is ended.
    if (this.hasEnded) throw new Error('closed while it was connecting');
    this.#socket = socket;
    const lines = new FrameSplitter(
      MAX_MESSAGE_BYTES,
      (line) => this.read(line),
      () => this.fail(MESSAGE_TOO_LONG),
    );
    socket.on('message', (data) => {
      for (const part of Array.isArray(data) ? data : [data])
        lines.push(Buffer.isBuffer(part) ? part : Buffer.from(part));
    });
    socket.on('error', (error) =>
      this.fail(isTooLong(error) ? MESSAGE_TOO_LONG : `the connection broke off: ${error.message}`),
    );
    socket.on('close', (code, reason) => this.#closedBy(code, reason.toString()));
    // It may have closed before anyone listened.
    if (socket.readyState === WebSocket.CLOSED) this.#closedBy(BROKEN, '');
    socket.resume();
  }

  override send(message: JSONRPCMessage): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.hasEnded) return Promise.reject(new Error('Not connected'));
    // A failure ends the session by its event.
    return new Promise((resolve) => socket.send(JSON.stringify(message), () => resolve()));
  }

  protected override async release(): Promise<void> {
    this.#stop.abort(new Error('closed while it was connecting'));
    const socket = await this.#opening?.catch(() => null);
    if (socket == null || socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // What says that we leave is handed to the system at once; nobody waits for an answer to it.
    socket.close(1000);
    socket.terminate();
    socket.resume();
    await closed;
  }

  #closedBy(code: number, reason: string): void {
    if (code === BROKEN) {
      this.fail('the connection broke off');
      return;
    }
    const why = code === NO_CODE ? '' : ` (${`${code} ${toPrintableLine(reason, MAX_REASON_LENGTH)}`.trim()})`;
    this.fail(`the server closed the connection${why}`, ORDERLY.has(code));
  }
}

function isTooLong(error: Error): boolean {
  return 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
}
