import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Counts the connections of an HTTP server and their bytes, by the counters of the sockets. */
export class TrafficMeter implements Disposable {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #closedSent = 0;
  #closedReceived = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', this.#onConnection);
  }

  /** Number of open connections of any protocol. */
  get connections(): number {
    return this.#open.size;
  }

  /** Number of bytes written to sockets since the start, sent or not. */
  get sentBytes(): number {
    let bytes = this.#closedSent;
    for (const socket of this.#open) bytes += socket.bytesWritten;
    return bytes;
  }

  get receivedBytes(): number {
    let bytes = this.#closedReceived;
    for (const socket of this.#open) bytes += socket.bytesRead;
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#server.off('connection', this.#onConnection);
  }

  readonly #onConnection = (socket: Socket): void => {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#closedSent += socket.bytesWritten;
      this.#closedReceived += socket.bytesRead;
    });
  };
}
