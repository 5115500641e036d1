import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { EndpointConfig } from '../../src/mcp/index.js';
import { aTurn, type Id, type Line, Peer, type Rpc } from './peer.js';

/** One session, streamable or of the older kind. */
class HttpLine implements Line {
  readonly id = randomUUID();
  isForgotten = false;
  /** What goes to the client unasked; with the older kind all. */
  events: ServerResponse | null = null;
  readonly answers = new Map<Id, ServerResponse>();
  #onEvents: () => void = () => undefined;
  readonly #hasEvents = new Promise<void>((resolve) => (this.#onEvents = resolve));

  open(response: ServerResponse): void {
    this.events = response;
    this.#onEvents();
  }

  async write(bytes: Buffer, about?: Id): Promise<void> {
    const own = about === undefined ? undefined : this.answers.get(about);
    if (own === undefined) await this.#hasEvents;
    const response = own ?? this.events;
    await new Promise<void>((resolve) => response?.write(bytes, () => resolve()));
    await aTurn();
  }

  finish(about: Id): void {
    this.answers.get(about)?.end();
  }

  close(): void {
    this.isForgotten = true;
    this.events?.end();
  }
}

/** A server over HTTP that answers with event streams only: streamable at `/mcp`, the older kind at `/sse`. */
export class HttpPeer extends Peer {
  readonly #server: Server;
  readonly #type: 'http' | 'sse';
  readonly #lines = new Map<string, HttpLine>();
  readonly #open = new Set<ServerResponse>();

  private constructor(type: 'http' | 'sse') {
    super();
    this.#type = type;
    this.#server = createServer((request, response) => {
      this.#open.add(response);
      response.on('close', () => {
        this.#open.delete(response);
        this.changed();
      });
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(type: 'http' | 'sse'): Promise<HttpPeer> {
    const peer = new HttpPeer(type);
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  override get endpoint(): EndpointConfig {
    const { port } = this.#server.address() as AddressInfo; // of a listening TCP server
    const path = this.#type === 'http' ? 'mcp' : 'sse';
    return { type: this.#type, url: `http://127.0.0.1:${port}/${path}`, headers: {} };
  }

  override openCount(): number {
    return this.#open.size;
  }

  override encode(message: object): Buffer {
    return Buffer.from(`data: ${JSON.stringify(message)}\n\n`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '', 'http://peer');
    if (method === 'GET' && url.pathname === '/sse') {
      const line = this.#newLine();
      startStream(response);
      response.write(`event: endpoint\ndata: /messages?session=${line.id}\n\n`);
      line.open(response);
      return;
    }
    const known = this.#lines.get(url.searchParams.get('session') ?? String(headers['mcp-session-id'] ?? ''));
    if (known?.isForgotten === true) response.writeHead(404).end('Session not found');
    else if (method === 'GET' && known !== undefined) {
      startStream(response);
      known.open(response);
    } else if (method === 'POST') await this.#post(request, response, known ?? this.#newLine());
    else response.writeHead(204).end();
  }

  async #post(request: IncomingMessage, response: ServerResponse, line: HttpLine): Promise<void> {
    const rpc = JSON.parse(await readText(request)) as Rpc; // written by the client under test
    if (rpc.id === undefined || this.#type === 'sse') response.writeHead(202).end();
    else {
      line.answers.set(rpc.id, response);
      startStream(response, { 'mcp-session-id': line.id });
    }
    this.take(rpc, line);
  }

  #newLine(): HttpLine {
    const line = new HttpLine();
    this.#lines.set(line.id, line);
    return line;
  }
}

function startStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  response.flushHeaders();
}
