import { WebSocket } from 'ws';

/** The connection of a tap, which comes and goes as the tap does. */
export class TapConnection {
  #socket: WebSocket | null = null;
  #reason = 'the tap is not connected';

  /**
   * Takes the place of the one before, which is closed.
   * @internal sockets have types that are not there for who installs the package; so below
   */
  attach(socket: WebSocket): void {
    this.#socket?.terminate();
    this.#socket = socket;
  }

  /**
   * Nothing more comes of it for now.
   * @internal
   */
  detach(socket: WebSocket, reason: string): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#reason = reason;
  }

  /**
   * The open socket.
   * @internal
   * @throws Error saying why there is none
   */
  open(): Promise<WebSocket> {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
    return Promise.reject(new Error(this.#reason));
  }
}
