import { WebSocket } from 'ws';

/** WebSocket of a tap, which may disconnect and connect again. */
export class TapConnection {
  #socket: WebSocket | null = null;
  #reason = 'the tap is not connected';

  /**
   * Replaces and terminates the previous socket.
   * @internal because the types of `ws` are not installed with the package
   */
  attach(socket: WebSocket): void {
    this.#socket?.terminate();
    this.#socket = socket;
  }

  /**
   * Forgets a socket that closed. `reason` is the error of `open` until the tap connects again.
   * @internal
   */
  detach(socket: WebSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#reason = reason;
  }

  /**
   * Returns the open socket.
   * @internal
   * @throws Error with the reason if the tap is not connected
   */
  open(): Promise<WebSocket> {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
    return Promise.reject(new Error(this.#reason));
  }
}
