import { WebSocket } from 'ws';

/** WebSocket that carries MCP messages, or the decrypted view of one. Its events are those of `ws`. */
export interface MessageSocket {
  readonly readyState: number;
  on(event: 'message', listener: (data: Buffer) => void): unknown;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  send(text: string, callback: () => void): void;
  close(code: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** WebSocket of a tap, which may disconnect and connect again. */
export class TapConnection {
  #socket: MessageSocket | null = null;
  #reason = 'the tap is not connected';
  #hasEnded = false;

  /** Whether the tap is not connected. It connects by itself, so that attempts to reach it are useless until then. */
  get isDisconnected(): boolean {
    return this.#socket === null;
  }

  /** Whether the observed session has ended normally, which is no failure. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Replaces and terminates the previous socket. */
  attach(socket: MessageSocket): void {
    const previous = this.#socket;
    this.#socket = socket;
    this.#hasEnded = false;
    previous?.terminate();
  }

  /** Forgets a socket that closed. `hasEnded` tells whether the observed session has ended normally. */
  detach(socket: MessageSocket, hasEnded: boolean): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#hasEnded = hasEnded;
    this.#reason = hasEnded ? 'the observed session has ended' : 'the tap is not connected';
  }

  /**
   * Returns the open socket.
   * @throws Error with the reason if the tap is not connected
   */
  open(): Promise<MessageSocket> {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
    return Promise.reject(new Error(this.#reason));
  }
}
