import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import type { EndpointConfig } from '../../src/mcp/index.js';

/** Protocol versions of a server: those since 2026-07-28 (`modern`), those before (`legacy`) or both (`dual`). */
export type ServerEra = 'modern' | 'dual' | 'legacy';

/** Official server over streamable HTTP. Its tool returns the era of the request. */
export class EraHttpServer implements AsyncDisposable {
  /** Methods of the received messages, and HTTP methods of requests without a body. */
  readonly received: string[] = [];
  readonly #server: Server;
  readonly #handler: ReturnType<typeof createMcpHandler>;

  private constructor(era: ServerEra) {
    const handler = createMcpHandler(({ era: requested }) => createMcpServer(era, requested), {
      legacy: era === 'modern' ? 'reject' : 'stateless',
    });
    this.#handler = handler;
    this.#server = createServer((request, response) => {
      this.#respond(request, era)
        .then(async ({ status, headers, body }) => {
          response.writeHead(status, [...headers].flat());
          response.flushHeaders();
          if (body === null) response.end();
          else await pipeline(Readable.fromWeb(body as ReadableStream<Uint8Array>), response); // one class, declared twice
        })
        .catch(() => response.destroy());
    });
  }

  static async start(era: ServerEra): Promise<EraHttpServer> {
    const server = new EraHttpServer(era);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): EndpointConfig {
    const { port } = this.#server.address() as AddressInfo; // of a listening TCP server
    return { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} };
  }

  /** Reports a change of the resource `agents://list` to subscribed clients. */
  changeResource(): void {
    this.#handler.notify.resourceUpdated('agents://list');
  }

  /** Reports a change of the tools to subscribed clients. */
  changeTools(): void {
    this.#handler.notify.toolsChanged();
  }

  /** Closes all connections, and with them the open subscriptions. */
  dropConnections(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #respond(incoming: IncomingMessage, era: ServerEra): Promise<Response> {
    const { method = 'GET', url = '/' } = incoming;
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const body = new Uint8Array(await buffer(incoming));
    const rpc = body.length === 0 ? null : (JSON.parse(new TextDecoder().decode(body)) as { method: string }); // of the client under test
    this.received.push(rpc?.method ?? method);
    // An older server does not know the method.
    if (era === 'legacy' && rpc?.method === 'server/discover') return new Response('Bad Request', { status: 400 });
    return this.#handler.fetch(
      new Request(new URL(url, 'http://127.0.0.1'), { method, headers, ...(body.length === 0 ? {} : { body }) }),
    );
  }
}

function createMcpServer(era: ServerEra, requested: 'legacy' | 'modern'): McpServer {
  const capabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } };
  const mcp = new McpServer({ name: `${era} server`, version: '1' }, { capabilities });
  const { server } = mcp;
  server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'era', inputSchema: { type: 'object' } }] }));
  server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text: JSON.stringify(requested) }] }));
  server.setRequestHandler('resources/list', () => ({ resources: [{ uri: 'agents://list', name: 'agents' }] }));
  return mcp;
}
