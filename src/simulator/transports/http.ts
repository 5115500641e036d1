import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
  type McpServer,
} from '@modelcontextprotocol/server';
import type { ServerProfile } from '../server-profiles.js';
import {
  closeServer,
  handleWebRequest,
  listenOnLoopback,
  type ListeningServer,
  MAX_MESSAGE_BYTES,
} from '../../shared/index.js';
import { createMcpServer } from '../mcp-server.js';
import type { SimulatedTool } from '../tool.js';

export const MCP_PATH = '/mcp';
/** Most open sessions. The oldest one is closed above it, because clients rarely end their sessions. */
const MAX_SESSIONS = 1000;

interface HttpSimulatorSession {
  readonly mcp: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

/** Serves MCP over streamable HTTP with sessions, on loopback only. Port 0 picks a free port. */
export async function serveHttp(
  profile: ServerProfile,
  tools: readonly SimulatedTool[],
  port: number,
): Promise<ListeningServer> {
  const sessions = new Map<string, HttpSimulatorSession>();

  const open = async (): Promise<HttpSimulatorSession> => {
    const mcp = createMcpServer(profile, tools);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: async (id) => {
        sessions.set(id, { mcp, transport });
        const [oldest] = sessions.values();
        if (sessions.size > MAX_SESSIONS) await oldest?.mcp.close();
      },
    });
    await mcp.connect(transport);
    mcp.server.onclose = () => {
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId);
    };
    return { mcp, transport };
  };

  const respond = async (request: Request): Promise<Response> => {
    const rejection =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (rejection !== undefined) return rejection;
    if (new URL(request.url).pathname !== MCP_PATH) return new Response('not found', { status: 404 });
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      const existing = sessions.get(id);
      return existing === undefined ? sessionNotFound() : existing.transport.handleRequest(request);
    }
    const session = await open();
    const response = await session.transport.handleRequest(request);
    // The request was not a handshake and was rejected, so there is no session.
    if (session.transport.sessionId === undefined) await session.mcp.close();
    return response;
  };

  const server = createServer((request, response) => {
    handleWebRequest(request, response, MAX_MESSAGE_BYTES, respond).catch(() => response.destroy());
  });
  const bound = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${bound}${MCP_PATH}`,
    [Symbol.asyncDispose]: async () => {
      const closed = closeServer(server);
      await Promise.all([...sessions.values()].map(({ mcp }) => mcp.close()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function sessionNotFound(): Response {
  return Response.json(
    { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null },
    { status: 404 },
  );
}
