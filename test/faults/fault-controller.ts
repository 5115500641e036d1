import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { FaultyServer, type Life } from './faulty-server.js';

const HELLO = z.object({ hello: z.object({ name: z.string(), pid: z.int() }) });

/** Where faulty servers report to and get their orders from, whoever has started them and however often. */
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

  /** A server by its name, before it is started. */
  expect(name: string, life: Partial<Life> = {}): FaultyServer {
    const { port } = this.#listener.address() as AddressInfo; // a TCP server's address is never a string
    const server = new FaultyServer(name, port, life);
    this.#servers.set(name, server);
    return server;
  }

  /** Faulty servers end when nobody controls them any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    let server: FaultyServer | null = null;
    socket
      // It is killed on purpose.
      .on('error', () => undefined)
      .on('close', () => this.#sockets.delete(socket));
    const lines = createInterface({ input: socket }).on('error', () => undefined);
    lines.on('line', (line) => {
      const told: unknown = JSON.parse(line);
      const { data } = HELLO.safeParse(told);
      if (data === undefined) server?.heard(told);
      else {
        server = this.#servers.get(data.hello.name) ?? null;
        server?.born(data.hello.pid, socket);
      }
    });
  }
}
