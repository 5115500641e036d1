import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

interface Rpc {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string; readonly arguments?: unknown };
}

export interface Seen {
  readonly http: string;
  readonly rpc: string | null;
  readonly headers: IncomingMessage['headers'];
}

/** Minimal MCP server: streamable HTTP at `/mcp`, SSE at `/sse`. The name of a tool selects the behavior of its call. */
export class HttpServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Whether notifications are answered with HTTP 500, as by daa-mcp. */
  refusesNotifications = false;
  readonly #server: Server;
  #events: ServerResponse | null = null;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<HttpServer> {
    const server = new HttpServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // of a listening TCP server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const body = method === 'POST' ? await readText(request) : '';
    const rpc = body === '' ? null : (JSON.parse(body) as Rpc); // written by the client under test
    this.seen.push({ http: `${method} ${url}`, rpc: rpc?.method ?? null, headers });
    if (method === 'GET' && url === '/sse') {
      this.#events = response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages\n\n');
    } else if (rpc === null) response.writeHead(method === 'DELETE' ? 204 : 405).end();
    else if (rpc.id === undefined) response.writeHead(this.refusesNotifications ? 500 : 202).end();
    else if (url === '/messages') {
      response.writeHead(202).end();
      const result = resultOf(rpc);
      if (result !== null) this.#events?.write(`data: ${answerTo(rpc, result)}\n\n`);
    } else this.#answer(rpc, response);
  }

  #answer(rpc: Rpc, response: ServerResponse): void {
    const json = { 'content-type': 'application/json' };
    const stream = { 'content-type': 'text/event-stream' };
    switch (rpc.params?.name) {
      case 'busy':
        response.writeHead(429, { 'retry-after': '2' }).end();
        return;
      case 'busier':
        response
          .writeHead(429, json)
          .end(JSON.stringify({ error: { code: -32000, message: 'too fast', data: { retryAfter: 0.25 } } }));
        return;
      case 'refusing':
        response.writeHead(400, json).end(JSON.stringify({ error: { code: -32602, message: 'no such swarm' } }));
        return;
      case 'unavailable':
        response.writeHead(503).end('down for\u0007 maintenance');
        return;
      case 'forgetful':
        response.writeHead(404, json).end(JSON.stringify({ error: { code: -32001, message: 'Session not found' } }));
        return;
      case 'confused':
        response.writeHead(400).end('Bad Request: No valid session ID provided');
        return;
      case 'hanging up':
        response.destroy();
        return;
      case 'mute':
        return;
      case 'streaming':
        response.writeHead(200, stream).end(`data: ${answerTo(rpc, resultOf(rpc))}\n\n`);
        return;
      case 'breaking off':
        response.writeHead(200, stream).write(': wait for it\n\n', () => response.destroy());
        return;
      default:
        response.writeHead(200, { ...json, 'mcp-session-id': 'a-session' }).end(answerTo(rpc, resultOf(rpc)));
    }
  }
}

function answerTo({ id }: Rpc, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

function resultOf({ method, params }: Rpc): unknown {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: '2025-03-26',
        capabilities: { tools: {}, experimental: { 'swarmlens/simulated': {} } },
        serverInfo: { name: 'over http', version: '1' },
      };
    case 'tools/list':
      return { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] };
    default:
      if (params?.name === 'mute') return null;
      return { content: [{ type: 'text', text: JSON.stringify(params?.arguments ?? null) }] };
  }
}
