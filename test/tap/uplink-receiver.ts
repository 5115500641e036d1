import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseMessages, type RpcMessage } from '../../src/tap/rpc-message.js';
import { ChangeNotifier } from '../support/wait.js';
import { found } from './found.js';

/** Handles a new connection of a tap. */
export type Behavior = (socket: WebSocket, receiver: TapReceiver) => void;

/** WebSocket server at the other end of a tap in place of swarmlens, with valid or invalid behavior. */
export class TapReceiver implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[] = [];
  readonly received: RpcMessage[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly #server: WebSocketServer;
  readonly #changes = new ChangeNotifier();

  private constructor(server: WebSocketServer, behavior: Behavior) {
    this.#server = server;
    ({ port: this.port } = server.address() as AddressInfo); // a TCP server's address is never a string
    this.url = `http://127.0.0.1:${this.port}`;
    server.on('connection', (socket, request) => {
      this.requests.push(request);
      socket.on('message', (data: Buffer) => {
        this.received.push(...parseMessages(data));
        this.#changes.notify();
      });
      socket.on('close', (code, reason) => {
        this.closes.push({ code, reason: reason.toString() });
        this.#changes.notify();
      });
      socket.on('error', () => undefined);
      behavior(socket, this);
      this.#changes.notify();
    });
  }

  /** @param port port to listen on; 0 picks a free port */
  static async start(behavior: Behavior, { port = 0, refuses = false } = {}): Promise<TapReceiver> {
    const options = refuses ? { verifyClient: () => false } : {};
    const server = new WebSocketServer({ host: '127.0.0.1', port, ...options });
    await once(server, 'listening');
    return new TapReceiver(server, behavior);
  }

  /** Resolves with the first result of `find` that is not empty. */
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

/** Initializes the session, then sends the next tool call as soon as the previous call is answered. */
export const busy: Behavior = (socket) => {
  let id = 0;
  const sendRequest = (method: string): void => {
    id += 1;
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: {} }));
  };
  socket.on('message', (data: Buffer) => {
    if (parseMessages(data)[0]?.id === undefined) return;
    if (id === 1) socket.send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    sendRequest('tools/call');
  });
  sendRequest('initialize');
};

/** Sends `initialize` and reads nothing. */
export const deaf: Behavior = (socket, receiver) => {
  busy(socket, receiver);
  socket.pause();
};

/** Sends invalid messages. */
export const mad: Behavior = (socket) => {
  for (const text of ['', '{', '[]', '[[{"id":1}]]', '{"id":{},"method":1}', '{"id":1,"method":"x"}', '\u0000']) {
    socket.send(text);
  }
  socket.send(Buffer.from([0xff, 0xfe]));
  socket.send('{"id":1,"method":"initialize"}');
  socket.send('{"id":1,"method":"tools/call"}');
  socket.send('{"id":1,"method":"tools/call"}');
  socket.send('{"method":"notifications/cancelled","params":{"requestId":1}}');
};
