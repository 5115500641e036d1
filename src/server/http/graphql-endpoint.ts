import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphiQLOptions } from 'graphql-yoga';
import type { Limits } from '../../config/index.js';
import { SwarmlensError } from '../../shared/index.js';
import type { GraphQLHandler } from '../graphql-handler.js';
import { GRAPHIQL_CONTENT_SECURITY_POLICY, renderGraphiQL } from '../graphiql/graphiql.js';
import { toClientId } from '../limits/client-identity.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { RequestAdmission } from '../limits/request-admission.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import type { HttpOperation } from '../plugins/http-results.js';
import { HTML_TYPE, prefersPage, readAcceptedTypes } from '../plugins/media-types.js';
import { parseUrlParams } from '../plugins/operation-params.js';
import { RequestError, toStatus } from '../plugins/request-error.js';
import { SseResponses } from '../sse/sse-responses.js';
import { answerError, answerRejection } from './answers.js';
import { checkBodyType, readBodyParams } from './request-body.js';
import { isNavigation } from './request-origin.js';

export interface GraphQLEndpointOptions {
  readonly graphql: GraphQLHandler;
  readonly admission: RequestAdmission;
  /** Options of GraphiQL. Null if it is not served. */
  readonly graphiql: GraphiQLOptions | null;
  readonly mask: ErrorMasker;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  /** Whether the server is shutting down and sends clients to other nodes. */
  readonly isDraining: () => boolean;
  readonly streams: SseResponses;
}

/**
 * Serves `/graphql`: GraphiQL to browsers, operations to all other clients. Every request is admitted before anything else
 * is read from it. Resolves when the request is answered.
 */
export async function serveGraphQL(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  options: GraphQLEndpointOptions,
): Promise<void> {
  try {
    if (isPageRequest(request)) await servePage(request, response, options);
    else await serveOperation(request, response, requestId, options);
  } catch (error) {
    const origin = { requestId, clientId: toClientId(request, null) };
    const masked = options.mask.mask(error, origin);
    const isRequestError = error instanceof RequestError;
    for (const [name, value] of Object.entries(isRequestError ? error.headers : {})) response.setHeader(name, value);
    answerError(request, response, isRequestError ? error.status : toStatus(masked.extensions['code']), masked);
  }
}

/** Returns whether a request is for GraphiQL, which contains no data and runs no operation. */
function isPageRequest(request: IncomingMessage): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  return isNavigation(request) || prefersPage(request);
}

async function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  { admission, graphiql }: GraphQLEndpointOptions,
): Promise<void> {
  await admission.count(request, null);
  if (graphiql === null) {
    const reason = 'GraphiQL is disabled on this server. Send operations with POST.';
    answerRejection(request, response, { status: 404, reason });
    return;
  }
  const page = await renderGraphiQL(graphiql);
  response.writeHead(200, {
    'content-type': HTML_TYPE,
    'content-length': page.length,
    'content-security-policy': GRAPHIQL_CONTENT_SECURITY_POLICY,
    'cache-control': 'no-cache',
    vary: 'Accept, Origin',
  });
  response.end(request.method === 'HEAD' ? undefined : page);
}

async function serveOperation(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  options: GraphQLEndpointOptions,
): Promise<void> {
  const { graphql, admission, streams } = options;
  if (SseResponses.isRequested(request)) {
    if (options.isDraining()) {
      throw new SwarmlensError('SERVER_UNAVAILABLE', 'This node is shutting down. Retry the request.');
    }
    streams.add(response, toClientId(request, null));
  }
  const viewer = await admission.admit(request);
  const http = await readOperation(request, options);
  await graphql.handle(request, response, { http, rateLimit: null, viewer, requestId, reauthenticate: null });
}

/** Reads the operation of an admitted request. @throws RequestError */
async function readOperation(request: IncomingMessage, options: GraphQLEndpointOptions): Promise<HttpOperation> {
  const { method, url = '/' } = request;
  if (method !== 'GET' && method !== 'POST') {
    const message = 'Operations are sent with GET or POST.';
    throw new RequestError('BAD_USER_INPUT', message, 405, { allow: 'GET, POST' });
  }
  if (method === 'POST') checkBodyType(request);
  const accepted = readAcceptedTypes(request);
  if (accepted.preferred === null) {
    throw new RequestError(
      'BAD_USER_INPUT',
      'No acceptable media type. Accept application/graphql-response+json, application/json or text/event-stream.',
      406,
    );
  }
  const search = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  const params = method === 'GET' ? parseUrlParams(search) : await readBodyParams(request, options);
  return { method, params, accepted };
}
