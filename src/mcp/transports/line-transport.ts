import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/client';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';

/** First of the JSON-RPC error codes that servers may define. */
const SERVER_ERROR = -32000;
/** Reason of a transport that received a message above the size limit. */
export const MESSAGE_TOO_LONG = `the server sent a message of more than ${MAX_MESSAGE_BYTES / 1024 / 1024} MB`;

/** End of a transport that was not closed locally. */
export interface TransportEnd {
  readonly reason: string;
  /** Whether the server closed the connection between two messages: see `SessionClosedError`. */
  readonly isOrderly: boolean;
}

/** Base class of transports that exchange one JSON-RPC message per line. */
export abstract class LineTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  #hasEnded = false;
  #end: TransportEnd | null = null;
  #pendingClose: Promise<void> | null = null;

  abstract start(): Promise<void>;

  abstract send(message: JSONRPCMessage): Promise<void>;

  /** Closes the process or connection, even while it opens, and resolves when it is closed. Called once. */
  protected abstract release(): Promise<void>;

  /** End of the transport. Null if it is open or was closed locally. */
  get end(): TransportEnd | null {
    return this.#end;
  }

  /** Closes the transport. Resolves when its process or connection is closed. */
  close(): Promise<void> {
    this.#pendingClose ??= this.#close();
    return this.#pendingClose;
  }

  protected get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Parses a line and delivers its message. */
  protected read(line: string | Buffer): void {
    const text = line.toString();
    if (this.#hasEnded || text.trim() === '') return;
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(normalizeError(JSON.parse(text)));
    } catch {
      this.reportNoise(text);
      return;
    }
    this.onmessage?.(message);
  }

  /** Reports a line that is not a message, as many servers print log output. */
  protected reportNoise(line: string): void {
    this.onerror?.(new Error(`not a message: ${line}`));
  }

  /** Ends the transport for a reason other than `close`. */
  protected fail(reason: string, isOrderly = false): void {
    if (this.#hasEnded) return;
    this.#end = { reason, isOrderly };
    this.close().catch(() => undefined);
  }

  async #close(): Promise<void> {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.onclose?.();
    }
    await this.release();
  }
}

/**
 * Normalizes errors without a request. JSON-RPC gives them the id `null`, MCP no id. One bridge rejects clients with
 * `{"error":"reason"}` and nothing else.
 */
function normalizeError(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  if ('error' in message && typeof message.error === 'string' && Object.keys(message).length === 1) {
    return { jsonrpc: '2.0', error: { code: SERVER_ERROR, message: message.error } };
  }
  if (!('id' in message) || message.id !== null) return message;
  const { id: _id, ...rest } = message;
  return rest;
}
