import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import type { Authenticator, Viewer } from '../../auth/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import type { ClientRateLimiter } from '../limits/rate-limiter.js';
import { type MetricsExporter, SwarmlensError } from '../../shared/index.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import { SseResponses } from '../sse/sse-responses.js';
import { GRAPHQL_PATH, type GraphQLHandler, toClientId } from '../graphql-handler.js';
import { applyCors, checkRequest, type OriginPolicy } from './request-origin.js';
import { METRICS_PATH, serveMetrics } from './metrics-endpoint.js';
import { isBatchRequest, readRequestBody, withRequestBody } from './request-body.js';
import { rejectUpgrade, RETRY_AFTER_SECONDS } from './reject-upgrade.js';
import type { Logger } from '../../telemetry/index.js';
import type { AdmissionRejection } from '../limits/connection-admission.js';

export interface HttpServerOptions {
  readonly graphql: GraphQLHandler;
  readonly authenticator: Authenticator;
  readonly originPolicy: OriginPolicy;
  readonly mask: ErrorMasker;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** Of operations over HTTP. */
  readonly requests: ClientRateLimiter;
  /** Whether a connection is one too many. */
  readonly admissionRejection: (socket: object) => AdmissionRejection | null;
  /** `null`: there is no such page. */
  readonly metrics: MetricsExporter | null;
  readonly logger: Logger;
  readonly playground: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Why the server is not ready; `null`: it is. */
  readonly notReady: () => string | null;
  /** Whether everybody is being asked to leave. */
  readonly isDraining: () => boolean;
  readonly streams: SseResponses;
}

export function createHttpServer(options: HttpServerOptions): Server {
  const { originPolicy, playground, notReady, isDraining, limits, admissionRejection, metrics, logger } = options;
  const timing = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(LOOK_MS, limits.headersTimeoutMs),
  };
  const server = createServer(timing, (request, response) => {
    const overload = admissionRejection(request.socket);
    if (overload !== null) {
      response.setHeader('connection', 'close');
      response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
      answer(response, overload.status, overload.reason);
      return;
    }
    // So that the next request goes to another node.
    if (isDraining()) response.setHeader('connection', 'close');
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    const refusal = checkRequest(request, originPolicy);
    if (refusal !== null) {
      answer(response, refusal.status, refusal.reason);
      return;
    }
    if (applyCors(request, response, originPolicy)) return;
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
    if (path === METRICS_PATH && metrics !== null) {
      const page = { metrics, logger, admit: (asked: IncomingMessage) => admit(asked, options) };
      serveMetrics(request, response, requestId, page).catch(() => response.destroy());
      return;
    }
    if (path === '/readyz') {
      const reason = notReady();
      answer(response, reason === null ? 200 : 503, reason ?? 'ready');
      return;
    }
    if (!playground(request, response)) answer(response, 404, 'not found');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseClient(error, socket, options));
  return server;
}

/** How often it is looked for requests that take too long. */
const LOOK_MS = 1_000;

/** A request that never came to be one: too slow, too long, or no HTTP. */
function refuseClient({ code }: NodeJS.ErrnoException, socket: Duplex, { counters }: HttpServerOptions): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
  } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    // Node does not tell what was waited for, headers or body.
    counters.hit('requestTimeoutMs');
    rejectUpgrade(socket, 408, 'the request took too long');
  } else if (code === 'HPE_HEADER_OVERFLOW') {
    counters.hit('maxHeaderBytes');
    rejectUpgrade(socket, 431, 'the headers are too long');
  } else rejectUpgrade(socket, 400, 'this is no HTTP request');
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
      const error = new SwarmlensError('SERVER_UNAVAILABLE', 'This node is about to stop: ask again.');
      answerError(request, response, 503, mask.mask(error, { requestId }));
      return;
    }
    streams.add(response);
  }
  // What a form can send needs no permission from us before it is sent, and so may come from any page.
  if (request.method === 'POST' && !/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    const error = new SwarmlensError('BAD_USER_INPUT', 'An operation is sent as "content-type: application/json".');
    answerError(request, response, 415, mask.mask(error, { requestId }));
    return;
  }
  let viewer: Viewer | null = null;
  const place = { requestId, clientId: toClientId(request, { subject: null }) };
  // The page itself tells nothing. Without a viewer no operation is run, whatever else is taken for the page.
  if (!isPage(request)) {
    try {
      viewer = await admit(request, options);
    } catch (error) {
      if (error instanceof SwarmlensError && error.code === 'RATE_LIMITED') {
        response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
        answerError(request, response, 429, mask.mask(error, place));
        return;
      }
      const isRefused = error instanceof SwarmlensError && error.code === 'UNAUTHENTICATED';
      if (isRefused) response.setHeader('www-authenticate', 'Bearer realm="swarmlens"');
      answerError(request, response, isRefused ? 401 : 503, mask.mask(error, place));
      return;
    }
  }
  const refuse = (status: number, message: string): void => {
    // What has not been read of it is not another request.
    response.setHeader('connection', 'close');
    answerError(request, response, status, mask.mask(new SwarmlensError('LIMIT_EXCEEDED', message), place));
  };
  let whole = request;
  if (request.method === 'POST') {
    const body = await readRequestBody(request, limits.maxBodyBytes);
    if (body === null) {
      counters.hit('maxBodyBytes');
      refuse(413, `The request has more than ${limits.maxBodyBytes} bytes.`);
      return;
    }
    if (isBatchRequest(body)) {
      counters.hit('batch');
      refuse(400, 'One request is one operation: lists of them are not taken.');
      return;
    }
    whole = withRequestBody(request, body);
  }
  await graphql.handle(whole, response, { maxHz: null, viewer, requestId, reauthenticate: null });
}

/**
 * Who asks. Each request counts, also one that is refused: of the address then.
 * @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED
 */
async function admit(
  request: IncomingMessage,
  { authenticator, limits, requests }: HttpServerOptions,
): Promise<Viewer> {
  const count = async (subject: string | null): Promise<void> => {
    const allowed = `${limits.maxRequestsPerSecond} requests a second are allowed`;
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
