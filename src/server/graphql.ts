import type { IncomingMessage, ServerResponse } from 'node:http';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import { EVERYONE } from '../auth/index.js';
import { schema, type SchemaContext, type Services } from '../schema/index.js';
import { messageOf } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import { isClientError, maskError, useInputErrors } from './errors.js';
import { GRAPHIQL_OPTIONS, renderGraphiQL } from './graphiql.js';
import { type Sharing, useSharing } from './sharing.js';

/** What a request brings with it, over HTTP or WebSocket. */
export interface RequestContext {
  readonly req: IncomingMessage;
  /** Of an HTTP request. */
  readonly res?: ServerResponse;
  readonly maxHz: number | null;
}

export type GraphQLHandler = YogaServerInstance<RequestContext, SchemaContext>;

export const GRAPHQL_PATH = '/graphql';

export function createGraphQL(services: Services, sharing: Sharing, logger: Logger): GraphQLHandler {
  return createYoga<RequestContext, SchemaContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // Pages of other origins get nothing; those of our own need no permission.
    cors: false,
    multipart: false,
    graphiql: GRAPHIQL_OPTIONS,
    renderGraphiQL,
    maskedErrors: { maskError },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...messages: unknown[]) => logger.warn({ messages: messages.map(messageOf) }, 'GraphQL'),
      error: (error: unknown) => {
        if (!isClientError(error)) logger.error({ error: detailsOf(error) }, 'operation failed');
      },
    },
    plugins: [useInputErrors(), useSharing(sharing)],
    context: ({ req, maxHz }): SchemaContext => ({ ...services, clientId: clientIdOf(req), viewer: EVERYONE, maxHz }),
  });
}

/** Clients are told apart by their address until there are tokens to tell them apart by. */
function clientIdOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown';
}

function detailsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
