import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/client';

/** Of one message. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
/** JSON-RPC's first code for errors of a server's own. */
const TURNED_AWAY = -32000;
export const MESSAGE_TOO_LONG = `it sent a message of more than ${MAX_MESSAGE_BYTES / 1024 / 1024} MB`;

/** How a transport ended that we did not close. */
export interface TransportEnd {
  readonly reason: string;
  /** See `SessionClosedError`. */
  readonly isOrderly: boolean;
}

/** What transports of JSON-RPC in lines have in common: what is a message, and that they end once. */
export abstract class LineTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  #hasEnded = false;
  #end: TransportEnd | null = null;
  #pendingClose: Promise<void> | null = null;

  abstract start(): Promise<void>;

  abstract send(message: JSONRPCMessage): Promise<void>;

  /** Closes what it runs on, or is about to; resolves when that is gone. Called once. */
  protected abstract release(): Promise<void>;

  /** `null`: it has not ended, or we closed it. */
  get end(): TransportEnd | null {
    return this.#end;
  }

  /** Resolves when what it runs on is gone. */
  close(): Promise<void> {
    this.#pendingClose ??= this.#close();
    return this.#pendingClose;
  }

  protected get hasEnded(): boolean {
    return this.#hasEnded;
  }

  protected read(line: string): void {
    if (this.#hasEnded || line.trim() === '') return;
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(withoutId(JSON.parse(line)));
    } catch {
      this.reportNoise(line);
      return;
    }
    this.onmessage?.(message);
  }

  /** A line that is no message: servers print what they like. */
  protected reportNoise(line: string): void {
    this.onerror?.(new Error(`not a message: ${line}`));
  }

  /** It ended, and not by us. */
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
 * An error that answers nothing has the id `null` by the standard of JSON-RPC, and none by that of MCP. One bridge writes
 * `{"error":"why"}` and no more to whom it turns away.
 */
function withoutId(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  if ('error' in message && typeof message.error === 'string' && Object.keys(message).length === 1) {
    return { jsonrpc: '2.0', error: { code: TURNED_AWAY, message: message.error } };
  }
  if (!('id' in message) || message.id !== null) return message;
  const { id: _id, ...rest } = message;
  return rest;
}
