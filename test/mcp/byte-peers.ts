import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EndpointConfig } from '../../src/mcp/index.js';
import { aTurn, type Line, Peer, type Rpc } from './peer.js';
import { endpointOf } from './support.js';

/** A server on a socket of its own, or behind a child process that passes on what comes over it. */
export class SocketPeer extends Peer {
  readonly #server: Server;
  readonly #isChild: boolean;
  readonly sockets = new Set<Socket>();
  /** What came, as the system handed it over. */
  readonly chunks: string[] = [];

  private constructor(isChild: boolean) {
    super();
    this.#isChild = isChild;
    this.#server = createServer((socket) => this.#opened(socket));
  }

  static async start(type: 'tcp' | 'stdio'): Promise<SocketPeer> {
    const peer = new SocketPeer(type === 'stdio');
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  override get endpoint(): EndpointConfig {
    const { port } = this.#server.address() as AddressInfo; // of a listening TCP server
    return this.#isChild ? endpointOf('relay', String(port)) : { type: 'tcp', host: '127.0.0.1', port, token: null };
  }

  override openCount(): number {
    return this.sockets.size;
  }

  override encode(message: object): Buffer {
    return Buffer.from(`${JSON.stringify(message)}\n`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #opened(socket: Socket): void {
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.changed();
    });
    const line: Line = {
      write: async (bytes) => {
        await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
        await aTurn();
      },
      finish: () => undefined,
      close: () => socket.end(),
    };
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      this.chunks.push(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) this.take(JSON.parse(text) as Rpc, line); // written by the client under test
    });
  }
}

/** A server of WebSockets, in whose text frames characters may be cut. */
export class WebSocketPeer extends Peer {
  readonly #server: WebSocketServer;

  private constructor() {
    super();
    this.#server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    this.#server.on('connection', (socket) => this.#opened(socket));
  }

  static async start(): Promise<WebSocketPeer> {
    const peer = new WebSocketPeer();
    await new Promise((resolve) => peer.#server.once('listening', resolve));
    return peer;
  }

  override get endpoint(): EndpointConfig {
    const { port } = this.#server.address() as AddressInfo; // of a listening TCP server
    return { type: 'ws', url: `ws://127.0.0.1:${port}/`, headers: {} };
  }

  get sockets(): ReadonlySet<WebSocket> {
    return this.#server.clients;
  }

  override openCount(): number {
    return this.sockets.size;
  }

  override encode(message: object): Buffer {
    return Buffer.from(JSON.stringify(message));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #opened(socket: WebSocket): void {
    const line: Line = {
      write: (bytes) => new Promise((resolve) => socket.send(bytes, { binary: false }, () => resolve())),
      finish: () => undefined,
      close: () => socket.close(1000, 'too old'),
    };
    // A socket that has closed leaves `clients` before its own listeners are called.
    socket.on('close', () => this.changed());
    socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Rpc, line)); // as above
  }
}
