import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { type SealedChannel, TAP_CLOSE_REJECTED } from '../../shared/index.js';

/** Decrypted view of the WebSocket of a tap. Emits `message`, `close` and `error` like a WebSocket of `ws`. */
export class SealedSocket extends EventEmitter {
  readonly #socket: WebSocket;
  readonly #channel: SealedChannel;

  constructor(socket: WebSocket, channel: SealedChannel) {
    super();
    this.#socket = socket;
    this.#channel = channel;
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('close', (code, reason) => this.emit('close', code, reason));
    socket.on('error', (error) => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
    });
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(text: string, callback: () => void): void {
    this.#socket.send(this.#channel.seal(text), callback);
  }

  close(code: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #receive(data: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    let message: Buffer;
    try {
      message = this.#channel.open(data);
    } catch {
      this.#socket.close(TAP_CLOSE_REJECTED.badRequest, 'a message of the tap was changed on its way');
      this.#socket.terminate();
      return;
    }
    this.emit('message', message);
  }
}
