import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AdmissionRejection } from '../limits/connection-admission.js';
import type { MetricsExporter, Logger } from '../../shared/index.js';
import { GRAPHQL_PATH } from '../graphql-handler.js';
import { answerRejection, answerText } from './answers.js';
import { type GraphQLEndpointOptions, serveGraphQL } from './graphql-endpoint.js';
import { METRICS_PATH, serveMetrics } from './metrics-endpoint.js';
import { PLAYGROUND_PATH } from './playground-handler.js';
import { rejectUpgrade } from './reject-upgrade.js';
import { applyCors, checkRequest, type OriginPolicy } from './request-origin.js';
import { setSecurityHeaders } from './security-headers.js';

export interface HttpServerOptions extends GraphQLEndpointOptions {
  readonly originPolicy: OriginPolicy;
  /** Returns why a connection exceeds a limit, or null. */
  readonly admissionRejection: (socket: object) => AdmissionRejection | null;
  /** Exporter of `/metrics`. Null if the path is not served. */
  readonly metrics: MetricsExporter | null;
  readonly logger: Logger;
  readonly playground: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Returns why the server is not ready, or null if it is. */
  readonly notReady: () => string | null;
}

/** Creates the HTTP server with its routes and timeouts; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { limits } = options;
  const timing = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headersTimeoutMs),
  };
  const server = createServer(timing, (request, response) => {
    // Errors are answered inside; a rejection means that the connection is lost.
    route(request, response, options).catch(() => response.destroy());
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => rejectClient(error, socket, options));
  return server;
}

/** Checks connection, host and origin of a request, and passes it to the handler of its path. */
async function route(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  const { originPolicy, metrics, logger } = options;
  setSecurityHeaders(response);
  const overload = options.admissionRejection(request.socket);
  if (overload !== null) {
    response.setHeader('connection', 'close');
    answerRejection(request, response, overload);
    return;
  }
  // The client sends its next request over a new connection, to another node.
  if (options.isDraining()) response.setHeader('connection', 'close');
  const requestId = randomUUID();
  response.setHeader('x-request-id', requestId);
  const path = readPath(request);
  const rejection = checkRequest(request, originPolicy, path === GRAPHQL_PATH || path === PLAYGROUND_PATH);
  if (rejection !== null) {
    answerRejection(request, response, rejection);
    return;
  }
  if (applyCors(request, response, originPolicy)) return;
  if (path === GRAPHQL_PATH) await serveGraphQL(request, response, requestId, options);
  else if (path === METRICS_PATH && metrics !== null) {
    const endpoint = { metrics, logger, admit: () => options.admission.admit(request) };
    await serveMetrics(request, response, requestId, endpoint);
  } else if (path === '/healthz') answerText(response, 200, 'ok\n');
  else if (path === '/readyz') {
    const reason = options.notReady();
    answerText(response, reason === null ? 200 : 503, `${reason ?? 'ready'}\n`);
  } else if (!options.playground(request, response)) {
    answerRejection(request, response, { status: 404, reason: 'Not found.' });
  }
}

/**
 * Returns the path of a request as it is sent, without decoding. Replaces an absolute target, which proxies send, by its
 * path, and the `Host` header by its host, as HTTP requires.
 */
function readPath(request: IncomingMessage): string {
  const { url = '/' } = request;
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) {
    const { host, pathname, search } = new URL(url);
    request.headers.host = host;
    request.url = `${pathname}${search}`;
  }
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** Interval in which the HTTP server checks for requests that take too long. */
const CHECK_INTERVAL_MS = 1_000;

/** Answers a connection without a valid request: too slow, too large, or not HTTP. */
function rejectClient({ code }: NodeJS.ErrnoException, socket: Duplex, { counters }: HttpServerOptions): void {
  // Browsers open connections in advance and may never use them.
  const isUnused = socket instanceof Socket && socket.bytesRead === 0;
  if (code === 'ECONNRESET' || !socket.writable || isUnused) {
    socket.destroy();
  } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    // Node does not report whether the headers or the body timed out.
    counters.hit('requestTimeoutMs');
    rejectUpgrade(socket, 408, 'The request took too long.');
  } else if (code === 'HPE_HEADER_OVERFLOW') {
    counters.hit('maxHeaderBytes');
    rejectUpgrade(socket, 431, 'The headers are too large.');
  } else rejectUpgrade(socket, 400, 'Not an HTTP request.');
}

/** Starts listening. @returns the URL of the server without a path */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port: actualPort, family } = server.address() as AddressInfo; // a TCP server's address is never a string
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`;
}
