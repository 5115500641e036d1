import { createServer, type Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeServer, listenOnLoopback } from '../../../src/simulator/transports/listen.js';
import { ChildServer } from './child-server.js';
import { nameOf, type Rpc, rpc } from './rpc.js';

export interface WsRelayOptions {
  /** Of node: the script of the stdio server that each connection gets one of, and its arguments. */
  readonly child: readonly string[];
  readonly token: string;
  /** Of one connection, in 60 s: 100 in the original. */
  readonly maxMessages?: number;
  /**
   * Into how many characters the output of the child is cut: the original sends it as it happens to come, whole lines of
   * many or a piece of one. (It also tears characters of several bytes, which nobody can mend.)
   */
  readonly charactersPerFrame?: number;
}

/** VisionFlow's `mcp-ws-relay`: a claude-flow of its own behind each WebSocket. */
export class McpWsRelay implements AsyncDisposable {
  readonly seen: string[] = [];
  /** Frames sent to clients. */
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
    // DEVIATION: the token is looked at when the connection is opened.
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

  /** Resolves when a message was one too many. */
  async refused(): Promise<void> {
    if (this.#refusals === 0) await new Promise<void>((resolve) => this.#onRefusal.push(resolve));
  }

  /** Resolves when there have been so many connections. */
  async connected(connections: number): Promise<void> {
    while (this.connections < connections) await new Promise<void>((resolve) => this.#onConnection.push(resolve));
  }

  /** DEVIATION: it closes connections that are old, 300 s in the original. */
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
    // DEVIATION: frames are pieces of its output, not messages.
    const child = new ChildServer(args, (chunk) => {
      const characters = Array.from(decoder.decode(chunk, { stream: true }));
      while (characters.length > 0) send(characters.splice(0, charactersPerFrame).join(''));
    });
    this.#children.add(child);
    let messages = 0;
    socket.on('message', (data: Buffer) => {
      const line = data.toString();
      messages += 1;
      // DEVIATION: one message too many is answered with an error that has no id, no newline, and no pause to keep.
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
