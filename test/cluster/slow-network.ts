import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { closeServer, listenOnLoopback } from '../../src/shared/loopback-server.js';

/** Network between one node and Redis that can be slow or cut. */
export class Line implements AsyncDisposable {
  /** Delay in milliseconds of data that Redis sends from now on. The order of the data is kept. */
  delayMs = 0;
  #isCut = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #clock: Clock = systemClock;
  #port = 0;

  private constructor(redisPort: number) {
    this.#server = createServer((socket) => this.#connected(socket, redisPort));
  }

  static async open(redisPort: number): Promise<Line> {
    const line = new Line(redisPort);
    line.#port = await listenOnLoopback(line.#server, 0);
    return line;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Closes all connections and rejects new ones until `repair` is called. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  repair(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = closeServer(this.#server);
    for (const socket of this.#sockets) socket.destroy();
    await end;
  }

  #connected(socket: Socket, redisPort: number): void {
    if (this.#isCut) {
      socket.destroy();
      return;
    }
    const inner = connect(redisPort, '127.0.0.1');
    let lastAtMs = 0;
    const cut = (): void => {
      socket.destroy();
      inner.destroy();
    };
    for (const one of [socket, inner]) {
      this.#sockets.add(one);
      one.on('error', cut).on('close', () => {
        this.#sockets.delete(one);
        cut();
      });
    }
    socket.pipe(inner);
    inner.on('data', (chunk: Buffer) => {
      const nowMs = this.#clock.monotonic();
      const atMs = Math.max(lastAtMs, nowMs + this.delayMs);
      lastAtMs = atMs;
      if (atMs <= nowMs) socket.write(chunk);
      else this.#clock.schedule(atMs - nowMs, () => socket.write(chunk));
    });
  }
}
