import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** TCP relay between clients and a server. Cuts connections while both ends keep running. */
export class Relay implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Server of the next connection. If it is null, the relay closes new connections immediately. */
  target: string | null;
  /** Number of accepted connections. */
  connections = 0;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.target = target;
    const { port } = server.address() as AddressInfo; // a TCP server has a port
    this.url = `http://127.0.0.1:${port}`;
    server.on('connection', (socket) => this.#open(socket));
  }

  /** @param target `http://host:port` */
  static async start(target: string): Promise<Relay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, target);
  }

  /** Destroys all open connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Stops forwarding data and keeps all connections open. */
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
