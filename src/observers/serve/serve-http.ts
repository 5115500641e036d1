import { createServer } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { OBSERVER_RESOURCES } from '../../observer-format/index.js';
import {
  closeServer,
  handleWebRequest,
  isLoopbackAddress,
  listenOn,
  type ListeningServer,
  toUrlHost,
} from '../../shared/index.js';
import { rejectRequest } from '../hooks/check-request.js';
import { type HookReceiver, MAX_EVENT_BYTES, receiveHook } from '../hooks/hook-request.js';
import { createMcpServer, type ObserverServerDeps } from './create-mcp-server.js';

const MCP_PATH = '/mcp';
/** Largest MCP request in bytes. Requests of clients are short. */
const MAX_REQUEST_BYTES = 256 * 1024;

export interface ListenAddress {
  /** Address to listen on. One beyond loopback requires a token. */
  readonly host: string;
  /** Port to listen on. 0 picks a free one. */
  readonly port: number;
}

export interface HttpOptions extends ListenAddress {
  /** Token that requests must present as `Authorization: Bearer`. Null to accept every program of this machine. */
  readonly token: string | null;
  /** Receiver of the events of hooks. */
  readonly hooks: HookReceiver;
}

/**
 * Serves MCP over streamable HTTP, and accepts the events of hooks. Clients since 2026-07-28 are notified about changes; older ones
 * poll.
 * @throws Error if other machines could connect without a token
 * @throws the system error if the port cannot be bound
 */
export async function serveHttp(
  deps: ObserverServerDeps,
  { host, port, token, hooks }: HttpOptions,
): Promise<ListeningServer> {
  const isLocal = isLoopbackAddress(host);
  if (!isLocal && token === null) throw new Error(`a token is required to listen on ${host}`);
  const handler = createMcpHandler(() => createMcpServer(deps, new Set()), { maxRequestBodySize: MAX_REQUEST_BYTES });
  const respond = async (request: Request): Promise<Response> => {
    const rejection = rejectRequest(request, { token, isLocal });
    if (rejection !== null) return rejection;
    if (new URL(request.url).pathname === MCP_PATH) return handler.fetch(request);
    return (await receiveHook(request, hooks)) ?? new Response('not found', { status: 404 });
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
