import { createServer, type Server, type Socket } from 'node:net';
import { LineSplitter } from '../../../src/shared/line-splitter.js';
import { closeServer, listenOnLoopback } from '../../../src/shared/loopback-server.js';
import { ChildServer } from './child-server.js';
import { nameOf, type Rpc, rpc } from './rpc.js';

export interface TcpServerOptions {
  /** Arguments of node: the script of the stdio server that all clients share, and its arguments. */
  readonly child: readonly string[];
  /** Token that clients must send. Without it, authentication is off. */
  readonly token?: string;
  /** Maximum number of connections. @default 50 */
  readonly maxConnections?: number;
}

interface Client {
  readonly socket: Socket;
  readonly pending: Set<string | number>;
  authenticated: boolean;
}

const MAX_LINE_BYTES = 10 * 1024 * 1024;

/**
 * Replica of VisionFlow's `mcp-tcp-server`: one claude-flow behind a socket for many clients. Its source closes the
 * connection only after a wrong token; a running one was noted to close it after a request without authentication too.
 */
export class McpTcpServer implements AsyncDisposable {
  /** Received messages with the number of their connection. */
  readonly seen: { readonly connection: number; readonly name: string; readonly message: Rpc }[] = [];
  readonly port: Promise<number>;
  /** Number of connections accepted so far. */
  connections = 0;
  readonly #onConnection: (() => void)[] = [];
  readonly #options: TcpServerOptions;
  readonly #server: Server;
  readonly #child: ChildServer;
  readonly #clients = new Set<Client>();
  #resolveReady: () => void = () => undefined;
  readonly #ready: Promise<void>;

  constructor(options: TcpServerOptions) {
    this.#options = options;
    this.#ready = new Promise((resolve) => (this.#resolveReady = resolve));
    const lines = new LineSplitter(
      MAX_LINE_BYTES,
      (line) => this.#output(line.toString()),
      () => undefined,
    );
    this.#child = new ChildServer(options.child, (chunk) => lines.push(chunk));
    const clientInfo = { name: 'tcp-wrapper', version: '1.0.0' };
    const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo };
    this.#child.write(rpc({ id: 'init-1', method: 'initialize', params }));
    this.#server = createServer((socket) => this.#connected(socket));
    this.port = listenOnLoopback(this.#server, 0);
  }

  /** Resolves when the given number of connections was accepted. */
  async connected(connections: number): Promise<void> {
    while (this.connections < connections) await new Promise<void>((resolve) => this.#onConnection.push(resolve));
  }

  /** Closes all connections. DEVIATION: the original closes connections after 300 s, with calls in flight too. */
  closeByAge(): void {
    for (const { socket } of this.#clients) socket.end();
    this.#clients.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = closeServer(this.#server);
    for (const { socket } of this.#clients) socket.destroy();
    await this.#child[Symbol.asyncDispose]();
    await end;
  }

  #connected(socket: Socket): void {
    const connection = (this.connections += 1);
    for (const resolve of this.#onConnection.splice(0)) resolve();
    socket.on('error', () => socket.destroy());
    // DEVIATION: a connection beyond the limit receives a line that is not JSON-RPC.
    if (this.#clients.size >= (this.#options.maxConnections ?? 50)) {
      socket.resume().end('{"error":"Service unavailable - connection limit reached"}\n');
      return;
    }
    const client: Client = { socket, pending: new Set(), authenticated: this.#options.token === undefined };
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
    const lines = new LineSplitter(
      MAX_LINE_BYTES,
      (line) => this.#take(client, connection, line.toString()),
      () => undefined,
    );
    this.#ready.then(
      () => socket.on('data', (chunk) => lines.push(chunk)),
      () => socket.destroy(),
    );
  }

  #take(client: Client, connection: number, line: string): void {
    const message = JSON.parse(line) as Rpc; // written by the client under test
    this.seen.push({ connection, name: nameOf(message), message });
    const { id, method, params } = message;
    const answer = (rest: Pick<Rpc, 'result' | 'error'>): string =>
      `${rpc({ ...(id !== undefined && { id }), ...rest })}\n`;
    if (method === 'authenticate' && this.#options.token !== undefined) {
      client.authenticated = params?.['token'] === this.#options.token;
      if (client.authenticated) client.socket.write(answer({ result: { authenticated: true } }));
      else client.socket.end(answer({ error: { code: -32000, message: 'Authentication failed' } }));
    } else if (method === 'initialize') {
      // DEVIATION: the result has no `capabilities`, and is sent before the authentication too.
      const serverInfo = { name: 'claude-flow', version: '2.0.0-alpha.101' };
      client.socket.write(answer({ result: { protocolVersion: '2024-11-05', serverInfo } }));
    } else if (!client.authenticated) {
      client.socket.end(answer({ error: { code: -32000, message: 'Authentication required' } }));
    } else {
      if (id != null) client.pending.add(id);
      this.#child.write(line);
    }
  }

  #output(line: string): void {
    if (!line.startsWith('{')) return;
    const { id } = JSON.parse(line) as Rpc; // one of our own servers wrote it
    if (id === 'init-1') {
      this.#resolveReady();
      return;
    }
    // DEVIATION: messages without an id go to all clients, and an answer goes to the first client that used its id.
    if (id == null) for (const { socket } of this.#clients) socket.write(`${line}\n`);
    else {
      const owner = [...this.#clients].find(({ pending }) => pending.delete(id));
      owner?.socket.write(`${line}\n`);
    }
  }
}
