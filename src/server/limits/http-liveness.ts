import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../../shared/index.js';
import type { CloseCounters } from './close-counters.js';
import type { LivenessMonitor, MonitoredClient } from './liveness-monitor.js';

export interface HttpLivenessOptions {
  readonly liveness: LivenessMonitor;
  readonly closes: CloseCounters;
  readonly logger: Logger;
  /** Records the end of a stream of server-sent events. Returns whether the connection has one. */
  readonly markStream: (socket: Socket) => boolean;
}

/** Monitors the connections of an HTTP server for clients that do not read their answers. WebSockets have pings instead. */
export class HttpLiveness implements Disposable {
  readonly #server: Server;
  readonly #options: HttpLivenessOptions;
  readonly #monitored = new Map<object, Disposable>();

  constructor(server: Server, options: HttpLivenessOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', this.#onConnection);
    server.on('upgrade', this.#onUpgrade);
  }

  [Symbol.dispose](): void {
    this.#server.off('connection', this.#onConnection);
    this.#server.off('upgrade', this.#onUpgrade);
    for (const monitoring of this.#monitored.values()) monitoring[Symbol.dispose]();
  }

  readonly #onConnection = (socket: Socket): void => {
    const client = new HttpClient(socket, () => this.#end(socket));
    this.#monitored.set(socket, this.#options.liveness.watch(client));
    socket.once('close', () => this.#forget(socket));
  };

  readonly #onUpgrade = (request: { readonly socket: Socket }): void => this.#forget(request.socket);

  #forget(socket: Socket): void {
    this.#monitored.get(socket)?.[Symbol.dispose]();
    this.#monitored.delete(socket);
  }

  #end(socket: Socket): void {
    const { closes, logger, markStream } = this.#options;
    const protocol = markStream(socket) ? 'sse' : 'http';
    closes.unresponsive(protocol);
    logger.debug(
      { address: socket.remoteAddress, protocol, unsentBytes: socket.writableLength },
      'client does not read',
    );
    socket.destroy();
  }
}

/** Client of one HTTP connection. It waits while bytes that were written at one time have not all been accepted by the kernel. */
class HttpClient implements MonitoredClient {
  readonly #socket: Socket;
  readonly closeUnresponsive: () => void;
  #waiting: { readonly sinceMs: number; readonly bytes: number } | null = null;

  constructor(socket: Socket, closeUnresponsive: () => void) {
    this.#socket = socket;
    this.closeUnresponsive = closeUnresponsive;
  }

  waitingSinceMs(nowMs: number): number | null {
    const { writableLength, bytesWritten } = this.#socket;
    if (writableLength === 0) this.#waiting = null;
    else if (this.#waiting === null || bytesWritten - writableLength >= this.#waiting.bytes)
      this.#waiting = { sinceMs: nowMs, bytes: bytesWritten };
    return this.#waiting?.sinceMs ?? null;
  }
}
