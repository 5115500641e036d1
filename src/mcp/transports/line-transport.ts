import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';
import { JsonMessageReader } from '../../shared/json/index.js';
import { parseMessage } from './parse-message.js';

/** Number of bytes of a line that is not a message that are reported. */
const MAX_NOISE_BYTES = 4_096;
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
  #hasReceived = false;
  #end: TransportEnd | null = null;
  #pendingClose: Promise<void> | null = null;
  readonly #reader = new JsonMessageReader({
    onMessage: (value, text) => this.#receive(value, text),
    onInvalid: (text) => this.#receiveNoise(text),
    onBusy: (isBusy) => this.setPaused(isBusy),
  });

  abstract start(): Promise<void>;

  abstract send(message: JSONRPCMessage): Promise<void>;

  /** Closes the process or connection, even while it opens, and resolves when it is closed. Called once. */
  protected abstract release(): Promise<void>;

  /** End of the transport. Null if it is open or was closed locally. */
  get end(): TransportEnd | null {
    return this.#end;
  }

  /** Whether the other side has sent bytes. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** Closes the transport. Resolves when its process or connection is closed. */
  close(): Promise<void> {
    this.#pendingClose ??= this.#close();
    return this.#pendingClose;
  }

  protected get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Stops or continues reading, because messages that have arrived take several turns of the event loop. */
  protected abstract setPaused(isPaused: boolean): void;

  /** Records that bytes have arrived. */
  protected markReceived(): void {
    this.#hasReceived = true;
  }

  /** Parses a line and delivers its message, after the messages of all earlier lines. */
  protected read(line: Buffer): void {
    if (!this.#hasEnded) this.#reader.push(line, null);
  }

  /** Reports a line that is not a message, as many servers print log output. */
  protected reportNoise(line: string): void {
    this.onerror?.(new Error(`not a message: ${line}`));
  }

  /** Ends the transport for a reason other than `close`, after the messages that have arrived. */
  protected fail(reason: string, isOrderly = false): void {
    this.#reader.afterMessages(() => {
      if (this.#hasEnded) return;
      this.#end = { reason, isOrderly };
      this.close().catch(() => undefined);
    });
  }

  #receive(value: unknown, text: Buffer): void {
    if (this.#hasEnded) return;
    let message: JSONRPCMessage;
    try {
      message = parseMessage(value);
    } catch {
      this.#receiveNoise(text);
      return;
    }
    this.onmessage?.(message);
  }

  #receiveNoise(text: Buffer): void {
    const line = text.toString('utf8', 0, MAX_NOISE_BYTES);
    if (!this.#hasEnded && line.trim() !== '') this.reportNoise(line);
  }

  async #close(): Promise<void> {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.onclose?.();
    }
    await this.release();
  }
}
