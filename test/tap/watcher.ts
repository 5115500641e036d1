import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { messagesIn, type RpcMessage } from '../../src/tap/message.js';
import { ChangeNotifier } from '../support/wait.js';
import { found } from './found.js';

/** What a tap's other end does with it. */
export type Manner = (socket: WebSocket, watcher: Watcher) => void;

/** The other end of a tap, on the wire: what swarmlens is to it, well-mannered or not. */
export class Watcher implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[] = [];
  readonly received: RpcMessage[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly #server: WebSocketServer;
  readonly #changes = new ChangeNotifier();

  private constructor(server: WebSocketServer, manner: Manner) {
    this.#server = server;
    ({ port: this.port } = server.address() as AddressInfo); // a TCP server's address is never a string
    this.url = `http://127.0.0.1:${this.port}`;
    server.on('connection', (socket, request) => {
      this.requests.push(request);
      socket.on('message', (data: Buffer) => {
        this.received.push(...messagesIn(data));
        this.#changes.notify();
      });
      socket.on('close', (code, reason) => {
        this.closes.push({ code, reason: reason.toString() });
        this.#changes.notify();
      });
      socket.on('error', () => undefined);
      manner(socket, this);
      this.#changes.notify();
    });
  }

  /** @param port 0: any free one */
  static async start(manner: Manner, { port = 0, refuses = false } = {}): Promise<Watcher> {
    const options = refuses ? { verifyClient: () => false } : {};
    const server = new WebSocketServer({ host: '127.0.0.1', port, ...options });
    await once(server, 'listening');
    return new Watcher(server, manner);
  }

  /** Resolves when a look at it finds something. */
  async until<T>(find: () => T | null | undefined | false): Promise<T> {
    return await found(this.#changes, find, {
      state: () => ({ requests: this.requests.length, received: this.received.slice(-3), closes: this.closes }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Greets, and then calls one tool after another, as fast as they are answered. */
export const busy: Manner = (socket) => {
  let id = 0;
  const ask = (method: string): void => {
    id += 1;
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: {} }));
  };
  socket.on('message', (data: Buffer) => {
    if (messagesIn(data)[0]?.id === undefined) return;
    if (id === 1) socket.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    ask('tools/call');
  });
  ask('initialize');
};

/** Greets, asks for much, and reads nothing. */
export const deaf: Manner = (socket, watcher) => {
  busy(socket, watcher);
  socket.pause();
};

/** Says what makes no sense. */
export const mad: Manner = (socket) => {
  for (const text of ['', '{', '[]', '[[{"id":1}]]', '{"id":{},"method":1}', '{"id":1,"method":"x"}', '\u0000']) {
    socket.send(text);
  }
  socket.send(Buffer.from([0xff, 0xfe]));
  socket.send('{"id":1,"method":"initialize"}');
  socket.send('{"id":1,"method":"tools/call"}');
  socket.send('{"id":1,"method":"tools/call"}');
  socket.send('{"method":"notifications/cancelled","params":{"requestId":1}}');
};
