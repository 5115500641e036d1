import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Authenticator, Viewer } from '../auth/index.js';
import { schema, type SchemaContext, type Services } from '../schema/index.js';
import { messageOf, SwarmlensError } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { type ErrorMask, useErrorMask, useInputErrors } from './errors.js';
import { useExpiry } from './expiry.js';
import { graphiqlOptions, renderGraphiQL } from './graphiql.js';
import { useRequestSyntax } from './request-syntax.js';
import { type Sharing, useSharing } from './sharing.js';
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
  readonly sharing: Sharing;
  readonly authenticator: Authenticator;
  readonly mask: ErrorMask;
  readonly logger: Logger;
  /** The only documents that are run; `null`: all are. */
  readonly trusted: TrustedDocuments | null;
}

export function createGraphQL(options: GraphQLOptions): GraphQLHandler {
  const { services, sharing, authenticator, mask, logger, trusted } = options;
  return createYoga<RequestContext, SchemaContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // See `origin.ts`.
    cors: false,
    multipart: false,
    extraParamNames: trusted === null ? [] : ['documentId'],
    graphiql: graphiqlOptions(authenticator.isRequired, trusted !== null),
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
      useInputErrors(),
      useErrorMask(mask),
      useTrustedDocuments(trusted),
      useSharing(sharing),
      useExpiry(authenticator),
    ],
    context: ({ req, maxHz, viewer, requestId, renew }): SchemaContext => {
      if (viewer === null) throw new SwarmlensError('UNAUTHENTICATED', 'A token is needed.');
      return { ...services, clientId: clientIdOf(req, viewer), viewer, maxHz, requestId, renew };
    },
  });
}

/** Clients are told apart by whom their token is for; by their address, where they need none. */
function clientIdOf(request: IncomingMessage, { subject }: Viewer): string {
  return subject ?? request.socket.remoteAddress ?? 'unknown';
}
