import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { FaultyServer, type Life } from './faulty-server.js';

const HELLO = z.object({ hello: z.object({ name: z.string(), pid: z.int() }) });

/** Receives the reports of faulty servers and sends them orders, independent of the process that started them. */
export class Control implements AsyncDisposable {
  readonly #listener: Server;
  readonly #servers = new Map<string, FaultyServer>();
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#listener = createServer((socket) => this.#connected(socket));
  }

  static async open(): Promise<Control> {
    const control = new Control();
    await new Promise<void>((resolve, reject) => {
      control.#listener.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return control;
  }

  /** Registers a faulty server by name before its start. */
  expect(name: string, life: Partial<Life> = {}): FaultyServer {
    const { port } = this.#listener.address() as AddressInfo; // a TCP server's address is never a string
    const server = new FaultyServer(name, port, life);
    this.#servers.set(name, server);
    return server;
  }

  /** Closes all connections. Faulty servers exit when their connection closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    let server: FaultyServer | null = null;
    socket
      // Tests kill the process on purpose.
      .on('error', () => undefined)
      .on('close', () => this.#sockets.delete(socket));
    const lines = createInterface({ input: socket }).on('error', () => undefined);
    lines.on('line', (line) => {
      const message: unknown = JSON.parse(line);
      const { data } = HELLO.safeParse(message);
      if (data === undefined) server?.receive(message);
      else {
        server = this.#servers.get(data.hello.name) ?? null;
        server?.born(data.hello.pid, socket);
      }
    });
  }
}
