import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GraphQLError } from 'graphql';
import type { Authenticator, Viewer } from '../auth/index.js';
import { SwarmlensError } from '../shared/index.js';
import type { ErrorMask } from './errors.js';
import type { GraphQLHandler } from './graphql.js';
import { GRAPHQL_PATH } from './graphql.js';
import { allowOrigin, type DoorOptions, refusalOf } from './origin.js';

export interface HttpOptions {
  readonly graphql: GraphQLHandler;
  readonly authenticator: Authenticator;
  readonly door: DoorOptions;
  readonly mask: ErrorMask;
  readonly playground: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Why the server is not ready; `null`: it is. */
  readonly notReady: () => string | null;
}

export function createHttpServer(options: HttpOptions): Server {
  const { door, playground, notReady } = options;
  return createServer((request, response) => {
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const refusal = refusalOf(request, door);
    if (refusal !== null) {
      answer(response, refusal.status, refusal.reason);
      return;
    }
    if (allowOrigin(request, response, door)) return;
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === GRAPHQL_PATH) {
      // Every error is answered there; what it rejects with is a connection that is gone.
      serveGraphQL(request, response, requestId, options).catch(() => response.destroy());
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

async function serveGraphQL(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { graphql, authenticator, mask }: HttpOptions,
): Promise<void> {
  // What a form can send needs no permission from us before it is sent, and so may come from any page.
  if (request.method === 'POST' && !/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    const error = new SwarmlensError('BAD_USER_INPUT', 'An operation is sent as "content-type: application/json".');
    answerError(request, response, 415, mask.mask(error, { requestId }));
    return;
  }
  let viewer: Viewer | null = null;
  // The page itself tells nothing. Without a viewer no operation is run, whatever else is taken for the page.
  if (!isPage(request)) {
    try {
      viewer = await authenticator.authenticate(request.headers.authorization ?? null);
    } catch (error) {
      const isRefused = error instanceof SwarmlensError && error.code === 'UNAUTHENTICATED';
      if (isRefused) response.setHeader('www-authenticate', 'Bearer realm="swarmlens"');
      answerError(request, response, isRefused ? 401 : 503, mask.mask(error, { requestId }));
      return;
    }
  }
  await graphql.handle(request, response, { maxHz: null, viewer, requestId, renew: null });
}

/** As Yoga tells it. */
function isPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true;
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

/** As GraphQL over HTTP has it for a request that is not executed. */
function answerError(
  { headers }: IncomingMessage,
  response: ServerResponse,
  status: number,
  error: GraphQLError,
): void {
  const type = 'application/graphql-response+json';
  const isNew = headers.accept?.includes(type) === true;
  const contentType = `${isNew ? type : 'application/json'}; charset=utf-8`;
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(JSON.stringify({ errors: [error] }));
}
