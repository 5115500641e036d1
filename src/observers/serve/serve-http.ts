import { createServer } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { OBSERVER_RESOURCES } from '../../observer-format/index.js';
import { closeServer, handleWebRequest, listenOnLoopback, type ListeningServer } from '../../shared/index.js';
import { rejectRequest } from '../hooks/check-request.js';
import { type HookReceiver, MAX_EVENT_BYTES, receiveHook } from '../hooks/hook-request.js';
import { createMcpServer, type ObserverServerDeps } from './create-mcp-server.js';

const MCP_PATH = '/mcp';
/** Largest MCP request in bytes. Requests of clients are short. */
const MAX_REQUEST_BYTES = 256 * 1024;

/**
 * Serves MCP over streamable HTTP on loopback, and accepts the events of hooks. Clients since 2026-07-28 are notified about
 * changes; older ones poll.
 * @param port port on 127.0.0.1; 0 picks a free one
 * @param token token that requests must present as `Authorization: Bearer`; null to accept every program of this machine
 * @param hooks receives the events of hooks
 * @throws the system error if the port cannot be bound
 */
export async function serveHttp(
  deps: ObserverServerDeps,
  port: number,
  token: string | null,
  hooks: HookReceiver,
): Promise<ListeningServer> {
  const handler = createMcpHandler(() => createMcpServer(deps, new Set()), { maxRequestBodySize: MAX_REQUEST_BYTES });
  const respond = async (request: Request): Promise<Response> => {
    const rejection = rejectRequest(request, token);
    if (rejection !== null) return rejection;
    if (new URL(request.url).pathname === MCP_PATH) return handler.fetch(request);
    return (await receiveHook(request, hooks)) ?? new Response('not found', { status: 404 });
  };
  const server = createServer((request, response) => {
    handleWebRequest(request, response, MAX_EVENT_BYTES, respond).catch(() => response.destroy());
  });
  const bound = await listenOnLoopback(server, port);
  const changes = deps.observer.lists.onChange((lists) => {
    for (const list of lists) handler.notify.resourceUpdated(OBSERVER_RESOURCES[list]);
  });
  return {
    url: `http://127.0.0.1:${bound}${MCP_PATH}`,
    [Symbol.asyncDispose]: async () => {
      changes[Symbol.dispose]();
      const closed = closeServer(server);
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
