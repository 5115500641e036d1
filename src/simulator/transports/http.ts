import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
  type McpServer,
} from '@modelcontextprotocol/server';
import type { ServerProfile } from '../server-profiles.js';
import { closeServer, listenOnLoopback, type ListeningServer } from './listen.js';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';
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
    handle(request, response, respond).catch(() => response.destroy());
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

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  respond: (request: Request) => Promise<Response>,
): Promise<void> {
  const body = await readBody(request);
  if (body === null) {
    response.writeHead(413).end();
    return;
  }
  const { status, headers, body: stream } = await respond(toWebRequest(request, body));
  response.writeHead(status, [...headers].flat());
  if (stream === null) {
    response.end();
    return;
  }
  // The client of an event stream waits for the headers, long before the first event.
  response.flushHeaders();
  await pipeline(Readable.fromWeb(stream as ReadableStream<Uint8Array>), response); // one class, declared twice
}

/**
 * Reads the body of a request. Returns null if it is too large. Reads such a body to its end, because otherwise the
 * client would not receive the response.
 */
async function readBody(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = chunk as Buffer; // no encoding is set
    bytes += part.length;
    if (bytes <= MAX_MESSAGE_BYTES) chunks.push(part);
    else chunks.length = 0;
  }
  return bytes <= MAX_MESSAGE_BYTES ? Buffer.concat(chunks) : null;
}

function toWebRequest(request: IncomingMessage, body: Buffer<ArrayBuffer>): Request {
  const method = request.method ?? 'GET';
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // The host is checked in its header. The request line may contain the full URL of another host.
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  return new Request(url, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) });
}
