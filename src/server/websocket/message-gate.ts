import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SendBuffer } from './send-buffer.js';

export interface MessageGateOptions {
  readonly sendBuffer: Pick<SendBuffer, 'canSend' | 'drained'>;
  /** Maximum number of bytes that may wait while the client does not read. */
  readonly maxBytes: number;
  readonly receive: (message: string) => void;
  /** Called when more bytes wait. The client sends without reading. */
  readonly onExceeded: () => void;
}

/**
 * Hands the messages of one WebSocket over in order, and only while the client reads its answers. Reading from the socket
 * continues, because pongs tell what the client has read.
 */
export class MessageGate {
  readonly #options: MessageGateOptions;
  #waiting: { readonly message: string; readonly bytes: number }[] = [];
  #waitingBytes = 0;

  constructor(options: MessageGateOptions) {
    this.#options = options;
  }

  push(message: string, bytes: number): void {
    const { sendBuffer, maxBytes, receive, onExceeded } = this.#options;
    if (this.#waiting.length === 0 && sendBuffer.canSend()) {
      receive(message);
      return;
    }
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > maxBytes) {
      onExceeded();
      return;
    }
    this.#waiting.push({ message, bytes });
    if (this.#waiting.length === 1) this.#release().catch(() => undefined);
  }

  /** Drops all waiting messages. */
  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Hands over what waits, one message per turn, because the answer to a message is written in its turn. */
  async #release(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#options.sendBuffer.drained();
      await nextTurn();
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#options.receive(next.message);
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
    }
  }
}
