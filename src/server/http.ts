import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GraphQLHandler } from './graphql.js';
import { GRAPHQL_PATH } from './graphql.js';
import { isCrossOrigin, isLoopbackHost } from './origin.js';

export interface HttpOptions {
  readonly graphql: GraphQLHandler;
  readonly playground: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Why the server is not ready; `null`: it is. */
  readonly notReady: () => string | null;
}

export function createHttpServer({ graphql, playground, notReady }: HttpOptions): Server {
  return createServer((request, response) => {
    const refusal = refuse(request);
    if (refusal !== null) {
      answer(response, 403, refusal);
      return;
    }
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === GRAPHQL_PATH) {
      // Yoga answers every error itself; what it rejects with is a connection that is gone.
      Promise.resolve(graphql.handle(request, response, { maxHz: null })).catch(() => response.destroy());
      return;
    }
    if (path === '/healthz') {
      answer(response, 200, 'ok');
      return;
    }
    if (path === '/readyz') {
      const reason = notReady();
      answer(response, reason === null ? 200 : 503, reason ?? 'ready');
      return;
    }
    if (!playground(request, response)) answer(response, 404, 'not found');
  });
}

/** Why a request is not served at all; `null`: it is. Until there are tokens, a foreign page is kept out by its name. */
export function refuse(request: IncomingMessage): string | null {
  if (!isLoopbackHost(request)) return 'this server is reached as localhost or 127.0.0.1';
  return isCrossOrigin(request) ? 'pages of other origins are not served' : null;
}

/** @returns the address it listens on, as a URL without a path */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port: bound, family } = server.address() as AddressInfo; // a TCP server's address is never a string
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}
