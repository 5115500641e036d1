import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SealedSocket } from '../../src/server/websocket/sealed-socket.js';
import { TapHandshake, type TapJoin } from '../../src/server/websocket/tap-handshake.js';
import { loadTapKey, systemClock } from '../../src/shared/index.js';
import { parseMessages, type RpcMessage } from '../../src/tap/rpc-message.js';
import { TAP_KEY_FILE } from '../support/tap-key-file.js';
import { ChangeNotifier } from '../support/wait.js';
import { found } from './found.js';

/** Handles a new connection of a tap after the handshake. */
export type Behavior = (socket: WebSocket | SealedSocket, receiver: TapReceiver, raw: WebSocket) => void;

export interface ReceiverOptions {
  /** Port to listen on; 0 picks a free port. */
  readonly port?: number;
  /** Whether every connection is refused with 401. */
  readonly refuses?: boolean;
  /** Path of the tap key of the receiver. */
  readonly keyFile?: string;
  /** Handles a new connection in place of the handshake. */
  readonly impersonate?: (socket: WebSocket) => void;
  /** Called with each message that the receiver sends, as it is sent. */
  readonly onSent?: (data: Buffer) => void;
}

/** WebSocket server at the other end of a tap in place of swarmlens, with valid or invalid behavior. */
export class TapReceiver implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[] = [];
  /** All frames as they were received. */
  readonly frames: Buffer[] = [];
  readonly joins: TapJoin[] = [];
  readonly received: RpcMessage[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly #server: WebSocketServer;
  readonly #changes = new ChangeNotifier();

  private constructor(server: WebSocketServer, behavior: Behavior, options: ReceiverOptions) {
    this.#server = server;
    ({ port: this.port } = server.address() as AddressInfo); // a TCP server's address is never a string
    this.url = `http://127.0.0.1:${this.port}`;
    server.on('connection', (socket, request) => {
      this.requests.push(request);
      socket.on('message', (data: Buffer) => {
        this.frames.push(data);
        this.#changes.notify();
      });
      socket.on('close', (code, reason) => {
        this.closes.push({ code, reason: reason.toString() });
        this.#changes.notify();
      });
      socket.on('error', () => undefined);
      if (options.onSent !== undefined) reportSent(socket, options.onSent);
      if (options.impersonate === undefined) this.#shakeHands(socket, request, behavior, options);
      else options.impersonate(socket);
      this.#changes.notify();
    });
  }

  static async start(behavior: Behavior, options: ReceiverOptions = {}): Promise<TapReceiver> {
    const { port = 0, refuses = false } = options;
    const server = new WebSocketServer({ host: '127.0.0.1', port, ...(refuses && { verifyClient: () => false }) });
    await once(server, 'listening');
    return new TapReceiver(server, behavior, options);
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

  #shakeHands(
    socket: WebSocket,
    request: IncomingMessage,
    behavior: Behavior,
    { keyFile = TAP_KEY_FILE }: ReceiverOptions,
  ): void {
    new TapHandshake(socket, {
      duplex: request.socket,
      loadKey: () => loadTapKey(keyFile),
      clock: systemClock,
      onJoin: (join, messages) => {
        this.joins.push(join);
        messages.on('message', (data: Buffer) => {
          this.received.push(...parseMessages(data));
          this.#changes.notify();
        });
        behavior(messages, this, socket);
        this.#changes.notify();
      },
      onFailure: ({ kind }) => socket.close(4400, kind),
    });
  }
}

/** Initializes the session, then sends the next tool call as soon as the previous call is answered. */
export const busy: Behavior = (socket) => {
  let id = 0;
  const sendRequest = (method: string): void => {
    id += 1;
    const params = method === 'tools/call' ? { name: 'list_agents', arguments: {} } : {};
    send(socket, JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  };
  socket.on('message', (data: Buffer) => {
    if (parseMessages(data)[0]?.id === undefined) return;
    if (id === 1) send(socket, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
    sendRequest('tools/call');
  });
  sendRequest('initialize');
};

/** Sends `initialize` and reads nothing. */
export const deaf: Behavior = (socket, receiver, raw) => {
  busy(socket, receiver, raw);
  raw.pause();
};

/** Sends invalid messages. */
export const mad: Behavior = (socket) => {
  for (const text of ['', '{', '[]', '[[{"id":1}]]', '{"id":{},"method":1}', '{"id":1,"method":"x"}', '\u0000']) {
    send(socket, text);
  }
  send(socket, '{"id":1,"method":"initialize"}');
  send(socket, '{"id":1,"method":"tools/call"}');
  send(socket, '{"id":1,"method":"tools/call","params":{"name":"list_agents"}}');
  send(socket, '{"id":1,"method":"tools/call","params":{"name":"list_agents"}}');
  send(socket, '{"method":"notifications/cancelled","params":{"requestId":1}}');
};

function send(socket: WebSocket | SealedSocket, text: string): void {
  socket.send(text, () => undefined);
}

function reportSent(socket: WebSocket, onSent: (data: Buffer) => void): void {
  const send = socket.send.bind(socket);
  socket.send = (data: string | Buffer) => {
    onSent(Buffer.from(data as string)); // one of two overloads
    send(data);
  };
}
