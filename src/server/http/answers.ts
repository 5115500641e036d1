import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { RETRY_AFTER_SECONDS } from './reject-upgrade.js';
import { PLAIN_TYPE, prefersText, readAcceptedTypes } from '../plugins/media-types.js';
import { type RejectionStatus, toRejectionError } from '../plugins/request-error.js';

/** Answers a request with a text. */
export function answerText(response: ServerResponse, status: number, text: string, type = PLAIN_TYPE): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** Answers a request for an operation that does not run. The body is a GraphQL response. */
export function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  error: Pick<GraphQLError, 'message' | 'extensions'>,
): void {
  const { message, extensions } = error;
  setStatusHeaders(response, status);
  answerText(
    response,
    status,
    JSON.stringify({ errors: [{ message, extensions }] }),
    readAcceptedTypes(request).errorType,
  );
}

/** Answers a request that is rejected before it is routed, as text or as a GraphQL response, whichever the client prefers. */
export function answerRejection(
  request: IncomingMessage,
  response: ServerResponse,
  { status, reason }: { readonly status: RejectionStatus; readonly reason: string },
): void {
  if (!prefersText(request)) {
    answerError(request, response, status, toRejectionError(status, reason));
    return;
  }
  setStatusHeaders(response, status);
  answerText(response, status, `${reason}\n`);
}

/** Sets the headers that HTTP requires with a status. */
function setStatusHeaders(response: ServerResponse, status: number): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="swarmlens"');
  if (status === 429 || status === 503) response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
}
