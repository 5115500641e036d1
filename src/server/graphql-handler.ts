import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { _createLRUCache as createLRUCache, createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Authenticator, Viewer } from '../auth/index.js';
import type { LimitCounters } from './limits/limit-counters.js';
import type { Limits } from '../config/index.js';
import { type ResolverServices, schema, type SchemaContext } from '../schema/index.js';
import { errorMessage, SwarmlensError } from '../shared/index.js';
import type { AccessScopes } from '../access/index.js';
import type { Logger } from '../telemetry/index.js';
import { type ErrorMasker, useErrorMasking, useInputErrorCodes } from './plugins/error-masking.js';
import { useTokenExpiry } from './sse/token-expiry.js';
import { createGraphiQLOptions, renderGraphiQL } from './graphiql/graphiql.js';
import { useOperationLimits } from './plugins/operation-limits.js';
import { useRequestSyntax } from './plugins/request-syntax.js';
import { type SubscriptionSharing, useSubscriptionSharing } from './sharing/shared-subscriptions.js';
import { type SubscriptionLimits, useSubscriptionLimits } from './plugins/subscription-limits.js';
import { type TrustedDocuments, useTrustedDocuments } from './plugins/trusted-documents.js';

/** What a request brings with it, over HTTP or WebSocket. */
export interface RequestContext {
  readonly req: IncomingMessage;
  /** Of an HTTP request. */
  readonly res?: ServerResponse;
  readonly maxHz: number | null;
  /** `null`: nobody has said who they are, and nothing is run for them. */
  readonly viewer: Viewer | null;
  /** Of this request, or of one operation over a WebSocket. */
  readonly requestId: string;
  readonly reauthenticate: SchemaContext['reauthenticate'];
}

export type GraphQLHandler = YogaServerInstance<RequestContext, SchemaContext>;

export const GRAPHQL_PATH = '/graphql';

export interface GraphQLHandlerOptions {
  readonly services: ResolverServices;
  readonly accessScopes: Pick<AccessScopes, 'servicesFor'>;
  readonly sharing: SubscriptionSharing;
  readonly authenticator: Authenticator;
  readonly mask: ErrorMasker;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  readonly logger: Logger;
  /** The only documents that are run; `null`: all are. */
  readonly trusted: TrustedDocuments | null;
}

/** Documents that are kept with what validating them said: each takes some hundred kilobytes at most. */
const MAX_DOCUMENTS = 200;
/** What cannot be parsed is cheap to refuse again, and not worth its memory. */
const NOTHING_KEPT = { get: () => undefined, set: () => undefined };

export function createGraphQLHandler(options: GraphQLHandlerOptions): GraphQLHandler {
  const { services, accessScopes, sharing, authenticator, mask, limits, counters, subscriptions, logger, trusted } =
    options;
  return createYoga<RequestContext, SchemaContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // See `origin.ts`.
    cors: false,
    multipart: false,
    extraParamNames: trusted === null ? [] : ['documentId'],
    graphiql: limits.graphiql && createGraphiQLOptions(authenticator.isRequired, trusted !== null),
    parserAndValidationCache: { documentCache: createLRUCache({ max: MAX_DOCUMENTS }), errorCache: NOTHING_KEPT },
    renderGraphiQL,
    // What fails outside of an operation. `useErrorMask` has been at all others before.
    maskedErrors: { maskError: (error) => mask.mask(error, { requestId: randomUUID() }) },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...messages: unknown[]) => logger.warn({ messages: messages.map(errorMessage) }, 'GraphQL'),
      // The mask has logged it.
      error: () => undefined,
    },
    plugins: [
      useRequestSyntax(),
      useOperationLimits(limits, counters),
      useInputErrorCodes(),
      useErrorMasking(mask),
      useTrustedDocuments(trusted),
      useSubscriptionSharing(sharing),
      useSubscriptionLimits(subscriptions),
      useTokenExpiry(authenticator),
    ],
    context: ({ req, maxHz, viewer, requestId, reauthenticate }): SchemaContext => {
      if (viewer === null) throw new SwarmlensError('UNAUTHENTICATED', 'A token is needed.');
      const { store, upstreams, candidates, streams } = accessScopes.servicesFor(viewer);
      const sight = { store, upstreams, candidates, streams };
      return { ...services, ...sight, clientId: toClientId(req, viewer), viewer, maxHz, requestId, reauthenticate };
    },
  });
}

/** Clients are told apart by whom their token is for; by their address, where they need none. */
export function toClientId(request: IncomingMessage, { subject }: Pick<Viewer, 'subject'>): string {
  return subject ?? request.socket.remoteAddress ?? 'unknown';
}
