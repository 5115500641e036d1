import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** `graphql-transport-ws` server whose messages a test determines. */
export class ScriptedServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: WebSocketServer;
  /** Messages of all clients. */
  readonly received: { readonly id?: string; readonly type: string; readonly payload?: Record<string, unknown> }[] = [];
  sockets: WebSocket[] = [];

  private constructor(server: WebSocketServer, onMessage: (socket: WebSocket, type: string, id: string) => void) {
    this.#server = server;
    const { port } = server.address() as AddressInfo; // of TCP
    this.url = `ws://127.0.0.1:${port}`;
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as ScriptedServer['received'][number]; // of the protocol
        this.received.push(message);
        onMessage(socket, message.type, message.id ?? '');
      });
    });
  }

  static async start(onMessage: (socket: WebSocket, type: string, id: string) => void): Promise<ScriptedServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'graphql-transport-ws' });
    await once(server, 'listening');
    return new ScriptedServer(server, onMessage);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Acknowledges connections and answers pings. */
export function welcome(socket: WebSocket, type: string): void {
  if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
  if (type === 'ping') socket.send('{"type":"pong"}');
}
