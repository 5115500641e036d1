import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { OBSERVER_RESOURCES } from '../../observer-format/index.js';
import {
  closeServer,
  handleWebRequest,
  isLoopbackAddress,
  listenOn,
  type ListeningServer,
  toUrlHost,
} from '../../shared/index.js';
import { createMcpServer, type ObserverServerDeps } from './create-mcp-server.js';

const MCP_PATH = '/mcp';
/** Beginning of the path to which hooks send their events. The name of the observed program follows. */
const HOOKS_PATH = '/hooks/';
/** Largest MCP request in bytes. Requests of clients are short. */
const MAX_REQUEST_BYTES = 256 * 1024;
/** Largest event of a hook in bytes. Events contain the inputs and results of tools. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

export interface HttpOptions {
  /** Address to listen on. One beyond loopback requires a token. */
  readonly host: string;
  /** Port to listen on. 0 picks a free one. */
  readonly port: number;
  /** Token that requests must present as `Authorization: Bearer`. Null to accept every program of this machine. */
  readonly token: string | null;
}

/**
 * Serves MCP over streamable HTTP, and accepts the events of hooks. Clients since 2026-07-28 are notified about changes; older ones
 * poll.
 * @throws Error if other machines could connect without a token
 * @throws the system error if the port cannot be bound
 */
export async function serveHttp(
  deps: ObserverServerDeps,
  { host, port, token }: HttpOptions,
): Promise<ListeningServer> {
  const isLocal = isLoopbackAddress(host);
  if (!isLocal && token === null) throw new Error(`a token is required to listen on ${host}`);
  const handler = createMcpHandler(() => createMcpServer(deps, new Set()), { maxRequestBodySize: MAX_REQUEST_BYTES });
  const respond = async (request: Request): Promise<Response> => {
    // A page that resolves its own name to an address of this machine does not know the token.
    const rejection =
      (isLocal ? hostHeaderValidationResponse(request, localhostAllowedHostnames()) : undefined) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (rejection !== undefined) return rejection;
    if (!isAuthorized(request, token)) return unauthorized(request);
    const { pathname } = new URL(request.url);
    if (pathname === MCP_PATH) return handler.fetch(request);
    if (pathname === `${HOOKS_PATH}${deps.source}` && request.method === 'POST') return acceptEvent(deps, request);
    return new Response('not found', { status: 404 });
  };
  const server = createServer((request, response) => {
    handleWebRequest(request, response, MAX_EVENT_BYTES, respond).catch(() => response.destroy());
  });
  const bound = await listenOn(server, host, port);
  const changes = deps.observer.lists.onChange((lists) => {
    for (const list of lists) handler.notify.resourceUpdated(OBSERVER_RESOURCES[list]);
  });
  return {
    url: `http://${toUrlHost(host)}:${bound}${MCP_PATH}`,
    [Symbol.asyncDispose]: async () => {
      changes[Symbol.dispose]();
      const closed = closeServer(server);
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Applies the event of a hook. Answers every event with an empty success, because the observed program waits for the answer, shows
 * errors to the person, and would obey a body.
 */
async function acceptEvent({ observer }: ObserverServerDeps, request: Request): Promise<Response> {
  const text = await request.text();
  try {
    observer.applyHook(JSON.parse(text));
  } catch {
    observer.recordProblem('malformed-event');
  }
  return new Response(null, { status: 204 });
}

function isAuthorized(request: Request, token: string | null): boolean {
  if (token === null) return true;
  const presented = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
  // Digests have the same length, whatever is presented.
  return timingSafeEqual(digest(presented), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized({ headers }: Request): Response {
  const problem = headers.has('authorization') ? 'Wrong token' : 'Token required';
  return new Response(`${problem}. Present the value of SWARMLENS_OBSERVE_TOKEN as a bearer token.`, {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="swarmlens"' },
  });
}
