import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { _createLRUCache as createLRUCache, createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Authenticator, Viewer } from '../auth/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { Limits } from '../config/index.js';
import {
  AnswerBudget,
  type AnswerBudgetOptions,
  type ResolverServices,
  schema,
  type SchemaContext,
} from '../schema/index.js';
import { errorMessage, SwarmlensError, type Logger } from '../shared/index.js';
import type { AccessScopes } from '../access/index.js';
import { type ErrorMasker, useErrorMasking, useInputErrorCodes } from './plugins/error-masking.js';
import { useTokenExpiry } from './sse/token-expiry.js';
import { useExecutor } from './plugins/executor.js';
import { useContentEncoding } from './plugins/content-encoding.js';
import { useOperationLimits } from './plugins/operation-limits.js';
import { type HttpOperation, useHttpResults } from './plugins/http-results.js';
import { identifyClient, toClientId } from './limits/client-identity.js';
import { type SubscriptionSharing, useSubscriptionSharing } from './sharing/shared-subscriptions.js';
import { type SubscriptionLimits, useSubscriptionLimits } from './plugins/subscription-limits.js';
import { type TrustedDocuments, useTrustedDocuments } from './plugins/trusted-documents.js';
import { AnswerTurns, useUnreadAnswers } from './plugins/unread-answers.js';

/** Context of one operation before the resolvers' services are added, over HTTP or WebSocket. */
export interface RequestContext {
  readonly req: IncomingMessage;
  /** Response of an HTTP request. Missing for operations over a WebSocket. */
  readonly res?: ServerResponse;
  /** Operation of an HTTP request. Missing for operations over a WebSocket. */
  readonly http?: HttpOperation;
  readonly rateLimit: SchemaContext['rateLimit'];
  /** Viewer of the request. Null if the request is not authenticated; then no operation runs. */
  readonly viewer: Viewer | null;
  /** Id of the HTTP request, or of one operation over a WebSocket. */
  readonly requestId: string;
  readonly reauthenticate: SchemaContext['reauthenticate'];
}

export type GraphQLHandler = YogaServerInstance<RequestContext, SchemaContext>;

export const GRAPHQL_PATH = '/graphql';

export interface GraphQLHandlerOptions {
  readonly services: ResolverServices;
  readonly accessScopes: Pick<AccessScopes, 'servicesFor'>;
  readonly sharing: SubscriptionSharing;
  /** Limit of each answer. */
  readonly budget: AnswerBudgetOptions;
  readonly authenticator: Authenticator;
  readonly mask: ErrorMasker;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  readonly logger: Logger;
  /** Documents that may run. Null if every document may run. */
  readonly trusted: TrustedDocuments | null;
  /** Smallest size in bytes of a compressed answer over HTTP. Null if answers are never compressed. */
  readonly compressFromBytes: number | null;
}

/** Number of cached documents with their validation results. Each takes at most some hundred kilobytes. */
const MAX_CACHED_DOCUMENTS = 200;
/** Cache that stores nothing, for parse errors: failing again costs less than the memory. */
const NO_CACHE = { get: () => undefined, set: () => undefined };

/** Creates Yoga with all plugins. Disposing the result releases its resources. */
export function createGraphQLHandler(options: GraphQLHandlerOptions): GraphQLHandler {
  const { services, accessScopes, sharing, authenticator, mask, limits, counters, subscriptions, logger, trusted } =
    options;
  const { compressFromBytes, budget } = options;
  return createYoga<RequestContext, SchemaContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // `applyCors` in http/request-origin.ts answers CORS.
    cors: false,
    multipart: false,
    // The HTTP server serves GraphiQL and limits and parses bodies.
    graphiql: false,
    maxRequestBodySize: false,
    extraParamNames: ['documentId'],
    parserAndValidationCache: { documentCache: createLRUCache({ max: MAX_CACHED_DOCUMENTS }), errorCache: NO_CACHE },
    // Masks errors outside of operations. `useErrorMasking` masks all others before.
    maskedErrors: { maskError: (error) => mask.mask(error, { requestId: randomUUID() }) },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...messages: unknown[]) => logger.warn({ messages: messages.map(errorMessage) }, 'GraphQL'),
      // The error masker logs errors.
      error: () => undefined,
    },
    plugins: [
      useExecutor(),
      useHttpResults(),
      useContentEncoding(compressFromBytes),
      useOperationLimits(limits, counters),
      useInputErrorCodes(mask),
      useErrorMasking(mask),
      useTrustedDocuments(trusted),
      useSubscriptionSharing(sharing),
      useSubscriptionLimits(subscriptions),
      useTokenExpiry(authenticator),
      useUnreadAnswers(new AnswerTurns(limits, counters)),
    ],
    context: ({ req, rateLimit, viewer, requestId, reauthenticate }): SchemaContext => {
      if (viewer === null) throw new SwarmlensError('UNAUTHENTICATED', 'This operation requires a token.');
      const { store, upstreams, candidates, streams } = accessScopes.servicesFor(viewer);
      const scoped = { store, upstreams, candidates, streams };
      const clientId = toClientId(req, viewer.subject);
      const connectionId = viewer.subject === null ? identifyClient(req).connectionId : null;
      const answer = new AnswerBudget(budget);
      return { ...services, ...scoped, clientId, connectionId, viewer, answer, rateLimit, requestId, reauthenticate };
    },
  });
}
