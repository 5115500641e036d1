import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { _createLRUCache as createLRUCache, createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Authenticator, Viewer } from '../auth/index.js';
import type { LimitCounters, Limits } from '../limits/index.js';
import { schema, type SchemaContext, type Services } from '../schema/index.js';
import { messageOf, SwarmlensError } from '../shared/index.js';
import type { Sights } from '../sight/index.js';
import type { Logger } from '../telemetry/index.js';
import { type ErrorMask, useErrorMask, useInputErrors } from './errors.js';
import { useExpiry } from './expiry.js';
import { graphiqlOptions, renderGraphiQL } from './graphiql.js';
import { useOperationLimits } from './operation-limits.js';
import { useRequestSyntax } from './request-syntax.js';
import { type Sharing, useSharing } from './sharing.js';
import { type SubscriptionLimits, useSubscriptionLimits } from './subscription-limits.js';
import { type TrustedDocuments, useTrustedDocuments } from './trusted-documents.js';

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
  readonly renew: SchemaContext['renew'];
}

export type GraphQLHandler = YogaServerInstance<RequestContext, SchemaContext>;

export const GRAPHQL_PATH = '/graphql';

export interface GraphQLOptions {
  readonly services: Services;
  readonly sights: Pick<Sights, 'of'>;
  readonly sharing: Sharing;
  readonly authenticator: Authenticator;
  readonly mask: ErrorMask;
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

export function createGraphQL(options: GraphQLOptions): GraphQLHandler {
  const { services, sights, sharing, authenticator, mask, limits, counters, subscriptions, logger, trusted } = options;
  return createYoga<RequestContext, SchemaContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // See `origin.ts`.
    cors: false,
    multipart: false,
    extraParamNames: trusted === null ? [] : ['documentId'],
    graphiql: limits.graphiql && graphiqlOptions(authenticator.isRequired, trusted !== null),
    parserAndValidationCache: { documentCache: createLRUCache({ max: MAX_DOCUMENTS }), errorCache: NOTHING_KEPT },
    renderGraphiQL,
    // What fails outside of an operation. `useErrorMask` has been at all others before.
    maskedErrors: { maskError: (error) => mask.mask(error, { requestId: randomUUID() }) },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...messages: unknown[]) => logger.warn({ messages: messages.map(messageOf) }, 'GraphQL'),
      // The mask has logged it.
      error: () => undefined,
    },
    plugins: [
      useRequestSyntax(),
      useOperationLimits(limits, counters),
      useInputErrors(),
      useErrorMask(mask),
      useTrustedDocuments(trusted),
      useSharing(sharing),
      useSubscriptionLimits(subscriptions),
      useExpiry(authenticator),
    ],
    context: ({ req, maxHz, viewer, requestId, renew }): SchemaContext => {
      if (viewer === null) throw new SwarmlensError('UNAUTHENTICATED', 'A token is needed.');
      const { store, collector, candidates, streams } = sights.of(viewer);
      const sight = { store, collector, candidates, streams };
      return { ...services, ...sight, clientId: clientIdOf(req, viewer), viewer, maxHz, requestId, renew };
    },
  });
}

/** Clients are told apart by whom their token is for; by their address, where they need none. */
export function clientIdOf(request: IncomingMessage, { subject }: Pick<Viewer, 'subject'>): string {
  return subject ?? request.socket.remoteAddress ?? 'unknown';
}
