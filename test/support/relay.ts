import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between clients and a server, so that a connection can be cut while both ends are well. */
export class Relay implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where the next connection leads; `null`: nowhere, it is closed at once. */
  target: string | null;
  /** Connections that were made. */
  connections = 0;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.target = target;
    const { port } = server.address() as AddressInfo; // of TCP
    this.url = `http://127.0.0.1:${port}`;
    server.on('connection', (socket) => this.#open(socket));
  }

  /** @param target `http://host:port` */
  static async start(target: string): Promise<Relay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, target);
  }

  /** Breaks everything that is open, without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing is let through any more, though all stays open. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  #open(socket: Socket): void {
    this.connections += 1;
    if (this.target === null) {
      socket.destroy();
      return;
    }
    const { hostname, port } = new URL(this.target);
    const other = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
