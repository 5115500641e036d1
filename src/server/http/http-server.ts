import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import type { Authenticator, Viewer } from '../../auth/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { ClientRateLimiter } from '../limits/rate-limiter.js';
import { type MetricsExporter, SwarmlensError, type Logger } from '../../shared/index.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import { SseResponses } from '../sse/sse-responses.js';
import { GRAPHQL_PATH, type GraphQLHandler, toClientId } from '../graphql-handler.js';
import { applyCors, checkRequest, type OriginPolicy } from './request-origin.js';
import { METRICS_PATH, serveMetrics } from './metrics-endpoint.js';
import { isBatchRequest, readRequestBody, withRequestBody } from './request-body.js';
import { rejectUpgrade, RETRY_AFTER_SECONDS } from './reject-upgrade.js';
import type { AdmissionRejection } from '../limits/connection-admission.js';

export interface HttpServerOptions {
  readonly graphql: GraphQLHandler;
  readonly authenticator: Authenticator;
  readonly originPolicy: OriginPolicy;
  readonly mask: ErrorMasker;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** Rate limiter of requests to `/graphql` and `/metrics`. */
  readonly requests: ClientRateLimiter;
  /** Returns why a connection exceeds a limit, or null. */
  readonly admissionRejection: (socket: object) => AdmissionRejection | null;
  /** Exporter of `/metrics`. Null if the path is not served. */
  readonly metrics: MetricsExporter | null;
  readonly logger: Logger;
  readonly playground: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Returns why the server is not ready, or null if it is. */
  readonly notReady: () => string | null;
  /** Whether the server is shutting down and sends clients to other nodes. */
  readonly isDraining: () => boolean;
  readonly streams: SseResponses;
}

/** Creates the HTTP server with its routes and timeouts; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { originPolicy, playground, notReady, isDraining, limits, admissionRejection, metrics, logger } = options;
  const timing = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headersTimeoutMs),
  };
  const server = createServer(timing, (request, response) => {
    const overload = admissionRejection(request.socket);
    if (overload !== null) {
      response.setHeader('connection', 'close');
      response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
      answer(response, overload.status, overload.reason);
      return;
    }
    // The client sends its next request over a new connection, to another node.
    if (isDraining()) response.setHeader('connection', 'close');
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const rejection = checkRequest(request, originPolicy);
    if (rejection !== null) {
      answer(response, rejection.status, rejection.reason);
      return;
    }
    if (applyCors(request, response, originPolicy)) return;
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === GRAPHQL_PATH) {
      // Errors are answered inside; a rejection means that the connection is lost.
      serveGraphQL(request, response, requestId, options).catch(() => response.destroy());
      return;
    }
    if (path === '/healthz') {
      answer(response, 200, 'ok');
      return;
    }
    if (path === METRICS_PATH && metrics !== null) {
      const endpoint = { metrics, logger, admit: () => admit(request, options) };
      serveMetrics(request, response, requestId, endpoint).catch(() => response.destroy());
      return;
    }
    if (path === '/readyz') {
      const reason = notReady();
      answer(response, reason === null ? 200 : 503, reason ?? 'ready');
      return;
    }
    if (!playground(request, response)) answer(response, 404, 'Not found.');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => rejectClient(error, socket, options));
  return server;
}

/** Interval in which the HTTP server checks for requests that take too long. */
const CHECK_INTERVAL_MS = 1_000;

/** Answers a connection without a valid request: too slow, too large, or not HTTP. */
function rejectClient({ code }: NodeJS.ErrnoException, socket: Duplex, { counters }: HttpServerOptions): void {
  if (code === 'ECONNRESET' || !socket.writable) {
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

async function serveGraphQL(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  options: HttpServerOptions,
): Promise<void> {
  const { graphql, mask, limits, counters, streams } = options;
  if (SseResponses.isRequested(request)) {
    if (options.isDraining()) {
      response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
      const error = new SwarmlensError('SERVER_UNAVAILABLE', 'This node is shutting down. Retry the request.');
      answerError(request, response, 503, mask.mask(error, { requestId }));
      return;
    }
    streams.add(response);
  }
  // A browser sends other content types without a CORS preflight, so that they may come from any page.
  if (request.method === 'POST' && !/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    const error = new SwarmlensError(
      'BAD_USER_INPUT',
      'Unsupported content type. Send operations as "content-type: application/json".',
    );
    answerError(request, response, 415, mask.mask(error, { requestId }));
    return;
  }
  let viewer: Viewer | null = null;
  const origin = { requestId, clientId: toClientId(request, { subject: null }) };
  // GraphiQL itself contains no data, and without a viewer no operation runs.
  if (!acceptsHtml(request)) {
    try {
      viewer = await admit(request, options);
    } catch (error) {
      if (error instanceof SwarmlensError && error.code === 'RATE_LIMITED') {
        response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
        answerError(request, response, 429, mask.mask(error, origin));
        return;
      }
      const isRejected = error instanceof SwarmlensError && error.code === 'UNAUTHENTICATED';
      if (isRejected) response.setHeader('www-authenticate', 'Bearer realm="swarmlens"');
      answerError(request, response, isRejected ? 401 : 503, mask.mask(error, origin));
      return;
    }
  }
  const reject = (status: number, message: string): void => {
    // The unread rest of the body must not be parsed as another request.
    response.setHeader('connection', 'close');
    answerError(request, response, status, mask.mask(new SwarmlensError('LIMIT_EXCEEDED', message), origin));
  };
  let readRequest = request;
  if (request.method === 'POST') {
    const body = await readRequestBody(request, limits.maxBodyBytes);
    if (body === null) {
      counters.hit('maxBodyBytes');
      reject(413, `The request body has more than ${limits.maxBodyBytes} bytes.`);
      return;
    }
    if (isBatchRequest(body)) {
      counters.hit('batch');
      reject(400, 'Batched operations are not supported. Send one operation per request.');
      return;
    }
    readRequest = withRequestBody(request, body);
  }
  await graphql.handle(readRequest, response, { maxHz: null, viewer, requestId, reauthenticate: null });
}

/**
 * Authenticates a request and counts it against the rate limit: of its subject, or of its address if it is rejected.
 * @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED
 */
async function admit(
  request: IncomingMessage,
  { authenticator, limits, requests }: HttpServerOptions,
): Promise<Viewer> {
  const count = async (subject: string | null): Promise<void> => {
    const allowed = `At most ${limits.maxRequestsPerSecond} requests per second are allowed`;
    await requests.consume(toClientId(request, { subject }), allowed);
  };
  let viewer: Viewer;
  try {
    viewer = await authenticator.authenticate(request.headers.authorization ?? null);
  } catch (error) {
    await count(null);
    throw error;
  }
  await count(viewer.subject);
  return viewer;
}

/** Whether a request is for GraphiQL, by the same test as in Yoga. */
function acceptsHtml({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.accept?.includes('text/html') === true;
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

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

/** Answers a request that is not executed, in the media type of GraphQL over HTTP that the client accepts. */
function answerError(
  { headers }: IncomingMessage,
  response: ServerResponse,
  status: number,
  error: GraphQLError,
): void {
  const type = 'application/graphql-response+json';
  const acceptsType = headers.accept?.includes(type) === true;
  const contentType = `${acceptsType ? type : 'application/json'}; charset=utf-8`;
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(JSON.stringify({ errors: [error] }));
}
