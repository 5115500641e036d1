import { createServer, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeServer, listenOnLoopback } from '../../../src/shared/loopback-server.js';
import { ChildServer } from './child-server.js';
import { nameOf, type Rpc, rpc } from './rpc.js';

export interface WsRelayOptions {
  /** Arguments of node: the script of the stdio server that is started for each connection, and its arguments. */
  readonly child: readonly string[];
  readonly token: string;
  /** Maximum number of messages of one connection; the original counts them within 60 s. @default 100 */
  readonly maxMessages?: number;
  /**
   * Length of frames in characters. The original sends the output of the child as it arrives: several lines or a part of
   * one. It also splits characters of several bytes, which no client can repair.
   */
  readonly charactersPerFrame?: number;
}

/** Replica of VisionFlow's `mcp-ws-relay`, which starts one claude-flow for each WebSocket. */
export class McpWsRelay implements AsyncDisposable {
  readonly seen: string[] = [];
  /** Frames sent to clients, in order. */
  readonly frames: string[] = [];
  readonly port: Promise<number>;
  connections = 0;
  readonly #onConnection: (() => void)[] = [];
  #refusals = 0;
  readonly #onRefusal: (() => void)[] = [];
  readonly #options: WsRelayOptions;
  readonly #http: Server;
  readonly #wss: WebSocketServer;
  readonly #children = new Set<ChildServer>();

  constructor(options: WsRelayOptions) {
    this.#options = options;
    this.#http = createServer();
    // DEVIATION: the token is checked when the connection is opened.
    this.#wss = new WebSocketServer({
      server: this.#http,
      verifyClient: ({ req }, callback) => {
        if (req.headers.authorization === `Bearer ${options.token}`) callback(true);
        else callback(false, 401, 'Unauthorized');
      },
    });
    this.#wss.on('connection', (socket) => this.#connected(socket));
    this.port = listenOnLoopback(this.#http, 0);
  }

  /** Resolves when a message exceeded the limit. */
  async refused(): Promise<void> {
    if (this.#refusals === 0) await new Promise<void>((resolve) => this.#onRefusal.push(resolve));
  }

  /** Resolves when the given number of connections was accepted. */
  async connected(connections: number): Promise<void> {
    while (this.connections < connections) await new Promise<void>((resolve) => this.#onConnection.push(resolve));
  }

  /** Closes all connections. DEVIATION: the original closes connections after 300 s. */
  closeByAge(): void {
    for (const socket of this.#wss.clients) socket.close(1001, 'Connection timeout');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = closeServer(this.#http);
    for (const socket of this.#wss.clients) socket.terminate();
    this.#wss.close();
    await Promise.all([...this.#children].map((child) => child[Symbol.asyncDispose]()));
    await end;
  }

  #connected(socket: WebSocket): void {
    this.connections += 1;
    for (const resolve of this.#onConnection.splice(0)) resolve();
    const { child: args, maxMessages = 100, charactersPerFrame = Infinity } = this.#options;
    const send = (frame: string): void => {
      this.frames.push(frame);
      socket.send(frame);
    };
    const decoder = new TextDecoder();
    // DEVIATION: frames are pieces of the output, not messages.
    const child = new ChildServer(args, (chunk) => {
      const characters = Array.from(decoder.decode(chunk, { stream: true }));
      while (characters.length > 0) send(characters.splice(0, charactersPerFrame).join(''));
    });
    this.#children.add(child);
    let messages = 0;
    socket.on('message', (data: Buffer) => {
      const line = data.toString();
      messages += 1;
      // DEVIATION: the error for a message beyond the limit has no id, no newline and no retry delay.
      if (messages > maxMessages) {
        send(rpc({ error: { code: -32000, message: 'Rate limit exceeded' } }));
        this.#refusals += 1;
        for (const resolve of this.#onRefusal.splice(0)) resolve();
        return;
      }
      this.seen.push(nameOf(JSON.parse(line) as Rpc)); // written by the client under test
      child.write(line);
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#children.delete(child);
      child[Symbol.asyncDispose]().catch(() => undefined);
    });
  }
}
