import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageTurns } from './message-turns.js';
import type { SendBuffer } from './send-buffer.js';

export interface MessageGateOptions {
  readonly sendBuffer: Pick<SendBuffer, 'canSend' | 'drained'>;
  readonly turns: Pick<MessageTurns, 'hasTime' | 'next'>;
  /** Stops and continues reading from the socket. */
  readonly socket: { pause(): void; resume(): void };
  /** Maximum number of bytes that may wait while the client does not read. */
  readonly maxBytes: number;
  readonly receive: (message: string) => void;
  /** Called when more bytes wait. The client sends without reading. */
  readonly onExceeded: () => void;
}

/**
 * Hands the messages of one WebSocket over in order, only while the client reads its answers, and only as many in one turn of
 * the event loop as have time. While the client does not read, reading from the socket continues, because pongs tell what the
 * client has read.
 */
export class MessageGate {
  readonly #options: MessageGateOptions;
  #waiting: { readonly message: string; readonly bytes: number }[] = [];
  #waitingBytes = 0;

  constructor(options: MessageGateOptions) {
    this.#options = options;
  }

  push(message: string, bytes: number): void {
    const { sendBuffer, turns, socket, maxBytes, receive, onExceeded } = this.#options;
    if (this.#waiting.length === 0 && sendBuffer.canSend()) {
      if (turns.hasTime()) {
        receive(message);
        return;
      }
      socket.pause();
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
    const { sendBuffer, turns, socket, receive } = this.#options;
    while (this.#waiting.length > 0) {
      await nextTurn();
      await turns.next();
      socket.resume();
      await sendBuffer.drained();
      const [next] = this.#waiting;
      if (next === undefined) return;
      receive(next.message);
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
    }
  }
}
