import {
  type DocumentNode,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLFormattedError,
  Kind,
  OperationTypeNode,
} from 'graphql';
import { getSSEProcessor, isAsyncIterable, type Plugin } from 'graphql-yoga';
import { z } from 'zod';
import type { SchemaContext } from '../../schema/index.js';
import { type AcceptedTypes, EVENT_STREAM_TYPE, GRAPHQL_RESPONSE_TYPE, JSON_TYPE } from './media-types.js';
import type { OperationParams } from './operation-params.js';
import { toStatus } from './request-error.js';

/** Operation of an HTTP request. */
export interface HttpOperation {
  readonly method: 'GET' | 'POST';
  readonly params: OperationParams;
  readonly accepted: AcceptedTypes;
}

/** Name of the status 294, which GraphQL over HTTP defines for results that contain data and errors. */
const PARTIAL_SUCCESS = { status: 294, statusText: 'Partial Success' } as const;

/**
 * Runs operations over HTTP by the rules of GraphQL over HTTP: the parameters that are already read, no mutation over
 * GET, streams as server-sent events, and the media type and status of the response.
 */
export function useHttpResults(): Plugin<SchemaContext, HttpServerContext> {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      const { http } = serverContext;
      if (http !== undefined) setRequestParser(() => ({ ...http.params }));
    },
    onParse({ context }) {
      // The context of an operation contains the server context. Missing over WebSocket.
      const { http } = context as HttpServerContext;
      if (http === undefined) return undefined;
      return ({ result }) => {
        if (!(result instanceof Error)) checkOperation(result as DocumentNode, http); // envelop types it `any`
      };
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const { http } = args.contextValue as HttpServerContext; // see `onParse`
      if (http === undefined || http.accepted.acceptsEventStream) return;
      const message =
        'Subscriptions over HTTP need "accept: text/event-stream". Multipart responses are not supported. Use server-sent events, or a WebSocket with graphql-transport-ws.';
      setResultAndStopExecution({ errors: [requestError(406, message)] });
    },
    onResultProcess(payload) {
      const { result, serverContext } = payload;
      const { http } = serverContext;
      if (http === undefined || Array.isArray(result)) return;
      if (isAsyncIterable(result)) payload.setResultProcessor(getSSEProcessor(), EVENT_STREAM_TYPE);
      else {
        payload.setResultProcessor((single, fetchAPI) => {
          // Not a stream, as the condition above checks.
          const { body, ...init } = toResponse(single as ExecutionResult, http.accepted);
          return new fetchAPI.Response(body, init);
        }, http.accepted.errorType);
      }
    },
  };
}

interface HttpServerContext {
  readonly http?: HttpOperation | undefined;
}

/** @throws GraphQLError if the document does not contain the operation, or it cannot run by this method */
function checkOperation(document: DocumentNode, { method, params }: HttpOperation): void {
  const operation = getOperationAST(document, params.operationName);
  if (operation == null) throw unknownOperationError(document, params.operationName);
  if (operation.operation === OperationTypeNode.MUTATION && method === 'GET') {
    throw requestError(405, 'Mutations are not allowed over GET. Send them with POST.', { allow: 'POST' });
  }
}

/** Returns the error of a document that does not contain the requested operation. */
export function unknownOperationError(document: DocumentNode, name: string | null | undefined): GraphQLError {
  const isNamed = name != null && name !== '';
  const hasOperation = document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const message = isNamed
    ? `Unknown operation "${name}" in "operationName".`
    : hasOperation
      ? 'The document contains several operations. Name one in "operationName".'
      : 'The document contains no operation.';
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

function requestError(
  status: 405 | 406,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status, headers } } });
}

/** Status and headers of the errors of `requestError`. Yoga and its libraries set other statuses in the same way. */
const httpExtensionSchema = z.object({
  status: z.literal([405, 406]),
  headers: z.record(z.string(), z.string()),
});

interface HttpResponse {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Converts the result of an operation to a response. */
function toResponse(result: ExecutionResult, accepted: AcceptedTypes): HttpResponse {
  const { data, errors = [] } = result;
  const body = JSON.stringify({
    ...result,
    ...(result.errors !== undefined && { errors: errors.map(toFormattedError) }),
  });
  const common = { 'cache-control': 'no-store' };
  const { preferred, errorType } = accepted;
  if (preferred === EVENT_STREAM_TYPE) {
    // Browsers report nothing but a lost connection for other statuses.
    const headers = { ...common, 'content-type': EVENT_STREAM_TYPE };
    return { status: 200, headers, body: `event: next\ndata: ${body}\n\nevent: complete\ndata:\n\n` };
  }
  if (data !== undefined) {
    const type = preferred === GRAPHQL_RESPONSE_TYPE ? GRAPHQL_RESPONSE_TYPE : JSON_TYPE;
    const status = errors.length > 0 && type === GRAPHQL_RESPONSE_TYPE ? PARTIAL_SUCCESS : { status: 200 };
    return { ...status, headers: { ...common, 'content-type': type }, body };
  }
  const { status, headers } = toErrorStatus(errors);
  return { status, headers: { ...common, ...headers, 'content-type': errorType }, body };
}

/** Returns the status and headers of a result without data: those of its first error. */
function toErrorStatus([error]: readonly GraphQLError[]): {
  readonly status: number;
  readonly headers: Record<string, string>;
} {
  const own = httpExtensionSchema.safeParse(error?.extensions.http);
  if (own.success) return own.data;
  const isSyntaxError = error?.message.startsWith('Syntax Error') === true;
  return { status: isSyntaxError ? 400 : toStatus(error?.extensions['code']), headers: {} };
}

/** Returns an error as it is sent, without `extensions.http`, by which Yoga and its libraries set statuses. */
export function toFormattedError(error: GraphQLError): GraphQLFormattedError {
  const formatted = error.toJSON();
  const { http: _, ...extensions } = formatted.extensions ?? {};
  return { ...formatted, extensions };
}
