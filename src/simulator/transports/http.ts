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
/** The one that was opened first goes when there are more: clients seldom say goodbye. */
const MAX_SESSIONS = 1000;

interface HttpSimulatorSession {
  readonly mcp: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

/** MCP streamable HTTP with sessions, on the loopback interface only. Port 0: a free one. */
export async function serveHttp(
  kind: ServerProfile,
  tools: readonly SimulatedTool[],
  port: number,
): Promise<ListeningServer> {
  const sessions = new Map<string, HttpSimulatorSession>();

  const open = async (): Promise<HttpSimulatorSession> => {
    const mcp = createMcpServer(kind, tools);
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

  const answer = async (request: Request): Promise<Response> => {
    const refusal =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refusal !== undefined) return refusal;
    if (new URL(request.url).pathname !== MCP_PATH) return new Response('not found', { status: 404 });
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      const known = sessions.get(id);
      return known === undefined ? sessionNotFound() : known.transport.handleRequest(request);
    }
    const session = await open();
    const response = await session.transport.handleRequest(request);
    // It was no handshake, and has been told so.
    if (session.transport.sessionId === undefined) await session.mcp.close();
    return response;
  };

  const server = createServer((request, response) => {
    handle(request, response, answer).catch(() => response.destroy());
  });
  const bound = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${bound}${MCP_PATH}`,
    [Symbol.asyncDispose]: async () => {
      const end = closeServer(server);
      await Promise.all([...sessions.values()].map(({ mcp }) => mcp.close()));
      server.closeAllConnections();
      await end;
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
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const body = await bodyOf(request);
  if (body === null) {
    response.writeHead(413).end();
    return;
  }
  const { status, headers, body: stream } = await answer(toWeb(request, body));
  response.writeHead(status, [...headers].flat());
  if (stream === null) {
    response.end();
    return;
  }
  // An event stream has nothing to send for a long time, and its client waits for the head.
  response.flushHeaders();
  await pipeline(Readable.fromWeb(stream as ReadableStream<Uint8Array>), response); // one class, declared twice
}

/** @returns `null` when there is more of it than is taken; read to its end even so, or the client would not see why */
async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
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

function toWeb(request: IncomingMessage, body: Buffer<ArrayBuffer>): Request {
  const method = request.method ?? 'GET';
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  // The host is checked from its header; a request line may hold a whole URL of another.
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  return new Request(url, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) });
}
