import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { connectSession, EndpointMemory, TransportError } from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { call, connectOptions, outcomeOf, recordingLogger } from './support.js';

interface Rpc {
  readonly id?: string;
  readonly method: string;
  readonly params?: { readonly arguments?: unknown };
}

type Answer = (response: ServerResponse) => void;

/** MCP server at `/mcp` that supports one of the HTTP transports, or none. */
class SingleTransportServer implements AsyncDisposable {
  /** Requests as `POST /mcp initialize`. */
  readonly seen: string[] = [];
  readonly #server: Server;
  #events: ServerResponse | null = null;

  /**
   * @param reject answers a request of the transport that the server does not support
   * @param discover answers `server/discover`. Without it, the method is unknown
   */
  private constructor(type: 'http' | 'sse' | 'none', reject: Answer, discover: Answer | null) {
    this.#server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      const respond = async (): Promise<void> => {
        const body = method === 'POST' ? await readText(request) : '';
        const rpc = body === '' ? null : (JSON.parse(body) as Rpc); // of the client under test
        this.seen.push(`${method} ${url}${rpc === null ? '' : ` ${rpc.method}`}`);
        if (rpc?.method === 'server/discover' && discover !== null) {
          discover(response);
          return;
        }
        if (type === 'sse' && method === 'GET') {
          this.#events = response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('event: endpoint\ndata: /messages\n\n');
        } else if (rpc === null || type === 'none' || (type === 'sse' && url !== '/messages')) reject(response);
        else if (rpc.id === undefined) response.writeHead(202).end();
        else if (type === 'http')
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerTo(rpc)));
        else {
          response.writeHead(202).end();
          this.#events?.write(`data: ${JSON.stringify(answerTo(rpc))}\n\n`);
        }
      };
      respond().catch(() => response.destroy());
    });
  }

  static async start(
    type: 'http' | 'sse' | 'none',
    reject: Answer,
    discover: Answer | null = null,
  ): Promise<SingleTransportServer> {
    const server = new SingleTransportServer(type, reject, discover);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`; // of a listening TCP server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function answerTo({ id, method, params }: Rpc): object {
  const result = {
    initialize: {
      protocolVersion: '2024-11-05',
      capabilities: { tools: {} },
      serverInfo: { name: 'single', version: '1' },
    },
    'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: JSON.stringify(params?.arguments ?? null) }] },
  }[method];
  if (result === undefined) return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
  return { jsonrpc: '2.0', id, result };
}

const withStatus =
  (status: number, body = ''): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end(body);

/** Opens an event stream that stays empty. */
const withSilence: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
};

/** Clock on which half of the time of a connection, and the time for a version probe, pass at once. */
const impatient: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) =>
    systemClock.schedule(delayMs === 3_000 || (delayMs > 400_000 && delayMs <= 500_000) ? 200 : delayMs, callback),
};

describe('session with another transport than the configured one', () => {
  test.each([400, 404, 405, 406, 415])('falls back to SSE when POST is answered with %i', async (status) => {
    await using server = await SingleTransportServer.start('sse', withStatus(status, 'Cannot POST /mcp'));
    const memory = new EndpointMemory();
    const { logger, lines } = recordingLogger();
    const options = connectOptions({ memory, logger });
    {
      await using session = await connectSession({ type: 'http', url: server.url, headers: {} }, options);
      expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    }
    expect(lines.map(({ message }) => message)).toEqual(['server supports the transport "sse" only']);
    server.seen.length = 0;
    await using session = await connectSession({ type: 'http', url: server.url, headers: {} }, options);
    expect(session.tools).toHaveLength(1);
    expect(server.seen[0]).toBe('GET /mcp');
  });

  test.each([
    ['405', withStatus(405)],
    ['400', withStatus(400, 'Bad Request: No valid session ID')],
    ['404', withStatus(404)],
    ['a web page', withStatus(200, '<html>')],
    ['an event stream without an endpoint', withSilence],
  ])('falls back to streamable HTTP when GET is answered with %s', async (_description, reject) => {
    await using server = await SingleTransportServer.start('http', reject);
    const options = connectOptions({ connectTimeoutMs: 1_000_000, clock: impatient });
    await using session = await connectSession({ type: 'sse', url: server.url, headers: {} }, options);
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
  });

  test.each(['http', 'sse'] as const)('says what to change when no transport works at type %s', async (type) => {
    await using server = await SingleTransportServer.start('none', withStatus(404, 'no such page'));
    const outcome = await outcomeOf(connectSession({ type, url: server.url, headers: {} }, connectOptions()));
    expect(outcome).toBeInstanceOf(TransportError);
    expect(String(outcome)).toMatch(
      new RegExp(
        `^TransportError: ${server.url}: .*404.*\\. The transport "${type === 'http' ? 'sse' : 'http'}" failed too: .*404.*\\. Check "url" and "type" of the server\\.$`,
      ),
    );
  });

  test.each([401, 403, 429, 500, 503])('tries no other transport when POST is answered with %i', async (status) => {
    await using server = await SingleTransportServer.start('sse', withStatus(status));
    const outcome = outcomeOf(connectSession({ type: 'http', url: server.url, headers: {} }, connectOptions()));
    expect(String(await outcome)).toContain(String(status));
    expect(server.seen.filter((request) => request.startsWith('GET'))).toEqual([]);
  });
});

describe('session with an older HTTP server', () => {
  test.each<[string, Answer]>([
    ['400', withStatus(400)],
    ['403', withStatus(403)],
    ['404', withStatus(404, 'no such method')],
    ['500', withStatus(500, 'Internal Server Error')],
    ['202 without a body', withStatus(202)],
    ['200 without a body', withStatus(200)],
    ['invalid JSON', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{')],
    ['a closed connection', (response) => void response.destroy()],
    [
      'an event stream that ends',
      (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    ],
    ['silence', () => undefined],
  ])('sends initialize when server/discover is answered with %s', async (_description, discover) => {
    await using server = await SingleTransportServer.start('http', withStatus(405), discover);
    const options = connectOptions({ clock: impatient });
    await using session = await connectSession({ type: 'http', url: server.url, headers: {} }, options);
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(server.seen.filter((request) => request.endsWith('server/discover'))).toHaveLength(1);
  });
});
