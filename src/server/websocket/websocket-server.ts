import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticator } from '../../auth/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import { ConcurrencyLimiter } from '../limits/concurrency-limiter.js';
import type { SchemaContext } from '../../schema/index.js';
import {
  CLOSE_GOING_AWAY,
  CLOSE_TRY_AGAIN_LATER,
  type Clock,
  errorMessage,
  TAP_PATH,
  type Logger,
} from '../../shared/index.js';
import type { ConnectionAdmission } from '../limits/connection-admission.js';
import type { ConnectionRegistry } from './connection-registry.js';
import { GRAPHQL_PATH, type GraphQLHandler, toClientId } from '../graphql-handler.js';
import { createInflaterRelease, trackSharedDeflate } from './deflate-extension.js';
import { checkRequest, type OriginPolicy } from '../http/request-origin.js';
import { rejectUpgrade } from '../http/reject-upgrade.js';
import type { SubscriptionSharing } from '../sharing/shared-subscriptions.js';
import { SocketLimits } from './socket-limits.js';
import { type SocketClient, SocketSubscription } from './socket-subscription.js';
import { SocketSession } from './socket-session.js';
import type { SubscriptionLimits } from '../plugins/subscription-limits.js';
import type { TapAcceptor } from './tap-acceptor.js';
import type { TrustedDocuments } from '../plugins/trusted-documents.js';

/** Close reason sent with `CLOSE_GOING_AWAY`. */
export const GOING_AWAY_REASON = 'Server is going away';

interface Extra extends Record<PropertyKey, unknown> {
  readonly client: SocketClient;
  readonly request: IncomingMessage;
  readonly session: SocketSession;
  readonly limits: SocketLimits;
}

export interface WebSocketServerOptions {
  readonly server: Server;
  readonly graphql: GraphQLHandler;
  readonly authenticator: Authenticator;
  readonly originPolicy: OriginPolicy;
  readonly connections: ConnectionRegistry;
  readonly sharing: SubscriptionSharing;
  readonly taps: Pick<TapAcceptor, 'upgrade'>;
  /** Whether `permessage-deflate` is negotiated with clients that offer it. */
  readonly compress: boolean;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  readonly admission: Pick<ConnectionAdmission, 'rejectionFor'>;
  /** Whether the server is shutting down and sends clients to other nodes. */
  readonly isDraining: () => boolean;
  readonly clock: Clock;
  /** Documents that may run. Null if every document may run. */
  readonly trusted: TrustedDocuments | null;
  readonly logger: Logger;
}

/**
 * Serves `graphql-transport-ws` on the port of the HTTP server. graphql-ws runs the protocol, Yoga the operations.
 * Disposing the result waits until all WebSockets are closed.
 */
export function serveWebSockets(options: WebSocketServerOptions): AsyncDisposable {
  const { server, connections, taps, originPolicy, limits, admission } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxMessageBytes,
    maxFragments: limits.maxMessageFragments,
    handleProtocols,
    // Without context takeover, all WebSockets can receive the same compressed bytes, and none keeps a window.
    perMessageDeflate: options.compress && { serverNoContextTakeover: true, clientNoContextTakeover: true },
  });
  const acceptsSharedDeflate = trackSharedDeflate(sockets);
  const viewers = new ConcurrencyLimiter(limits.maxConnectionsPerViewer);
  const protocol = createProtocolServer(options);
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    // A request line need not contain a valid URL.
    const path = (request.url ?? '/').split('?', 1)[0];
    const overload = admission.rejectionFor(request.socket);
    if (overload !== null) {
      if (path !== GRAPHQL_PATH || checkRequest(request, originPolicy) !== null) {
        rejectUpgrade(duplex, overload.status, overload.reason);
        return;
      }
      sockets.handleUpgrade(request, duplex, head, (socket) => {
        // Accepted and closed with a code, because graphql-ws clients treat a rejected upgrade as fatal.
        socket.on('error', () => undefined);
        socket.close(CLOSE_TRY_AGAIN_LATER, overload.reason);
        socket.terminate();
      });
      return;
    }
    if (path === TAP_PATH) {
      if (options.isDraining()) rejectUpgrade(duplex, 503, 'This node is shutting down. Connect again.');
      else taps.upgrade(request, duplex, head);
      return;
    }
    const rejection =
      path === GRAPHQL_PATH ? checkRequest(request, originPolicy) : { status: 404 as const, reason: 'Not found.' };
    if (rejection !== null) {
      rejectUpgrade(duplex, rejection.status, rejection.reason);
      return;
    }
    sockets.handleUpgrade(request, duplex, head, (socket) => {
      if (options.isDraining()) {
        // Accepted and closed with a code, because graphql-ws clients treat a rejected upgrade as fatal.
        socket.on('error', (error) => options.logger.debug({ error: error.message }, 'socket error'));
        connections.add(socket, duplex);
        socket.close(CLOSE_GOING_AWAY, GOING_AWAY_REASON);
        return;
      }
      const client: SocketClient = {
        socket,
        stream: duplex,
        sendBuffer: connections.add(socket, duplex),
        acceptsSharedDeflate: acceptsSharedDeflate(request),
      };
      open(protocol, client, request, new SocketLimits(request, viewers, options), options);
    });
  };
  server.on('upgrade', onUpgrade);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
      server.off('upgrade', onUpgrade);
    },
  };
}

type ProtocolServer = ReturnType<typeof makeServer<Record<string, unknown>, Extra>>;

function createProtocolServer({
  graphql,
  sharing,
  limits,
  subscriptions,
  trusted,
}: WebSocketServerOptions): ProtocolServer {
  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    onConnect: async ({ connectionParams, extra }) =>
      (await extra.session.authenticate(connectionParams)) && extra.limits.acceptViewer(extra.session.viewer),
    // The enveloped functions apply the same context, validation and error masking as over HTTP.
    async onSubscribe({ extra, subscriptions: running }, id, params) {
      const { request: req, session } = extra;
      const rejection = extra.limits.operationRejection(Object.keys(running).length);
      if (rejection !== null) return [rejection];
      const { viewer, maxHz } = session;
      const enveloped = graphql.getEnveloped({
        req,
        maxHz,
        viewer,
        reauthenticate: (token: string) => session.reauthenticate(token),
        requestId: randomUUID(),
        params,
      });
      const { schema, parse, validate, contextFactory, execute, subscribe } = enveloped as EnvelopedFunctions; // see there
      try {
        const document = parse(trusted?.lookup(params) ?? params.query);
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        if (getOperationAST(document, params.operationName) == null)
          return [unknownOperationError(params.operationName)];
        return {
          schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe, id, extra },
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
    },
    execute: (args) => operationFunctions(args).execute(args),
    subscribe: (args) =>
      subscriptions.run(
        operationFunctions(args).extra.limits.subscriptions,
        args,
        () => subscribeShared(sharing, args) ?? operationFunctions(args).subscribe(args),
      ),
  });
}

/** Returns the error of a document without the requested operation. graphql-ws would send it without a code. */
function unknownOperationError(name: string | null | undefined): GraphQLError {
  const message =
    name == null
      ? 'The document contains several operations. Name one in "operationName".'
      : `Unknown operation "${name}" in "operationName".`;
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** Result of `getEnveloped`. Envelop types it `any`, because plugins may replace graphql; Yoga uses graphql. */
interface EnvelopedFunctions extends Omit<OperationFunctions, 'id' | 'extra'> {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
}

/** Joins a subscription to its subscription group. Returns null if the subscription cannot be shared. */
function subscribeShared(
  sharing: SubscriptionSharing,
  args: ExecutionArgs,
): AsyncIterableIterator<never> | ExecutionResult | null {
  const { id, extra } = operationFunctions(args);
  // The enveloped context factory created the context.
  const shared = sharing.plan(args, args.contextValue as SchemaContext);
  if (shared === null) return null;
  return shared instanceof GraphQLError ? { errors: [shared] } : new SocketSubscription(shared, id, extra.client);
}

/** Sends an unshared message uncompressed, because `ws` would need a compressor for each WebSocket. */
function send(socket: WebSocket, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(message, { compress: false }, (error) => (error == null ? resolve() : reject(error)));
  });
}

interface OperationFunctions {
  readonly id: string;
  readonly extra: Extra;
  readonly execute: NonNullable<ServerOptions['execute']>;
  readonly subscribe: (args: ExecutionArgs) => PromiseLike<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** Returns the enveloped functions of an operation, which `onSubscribe` stored in the root value. */
function operationFunctions(args: ExecutionArgs): OperationFunctions {
  return args.rootValue as OperationFunctions; // see `onSubscribe`: graphql types the root value as unknown
}

function open(
  protocol: ProtocolServer,
  client: SocketClient,
  request: IncomingMessage,
  limits: SocketLimits,
  { authenticator, logger }: WebSocketServerOptions,
): void {
  const { socket } = client;
  limits.watch(socket);
  socket.on('error', (error) => logger.debug({ ...logFields(), error: error.message }, 'socket error'));
  const releaseInflater = createInflaterRelease(socket);
  const session = new SocketSession(authenticator, request.headers.authorization ?? null, (code, reason) =>
    socket.close(code, reason),
  );
  // A closed socket has no address.
  const address = toClientId(request, { subject: null });
  const logFields = (): { clientId: string } => ({ clientId: session.viewer?.subject ?? address });
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code = CloseCode.InternalServerError, reason) => {
        limits.recordClose(code);
        socket.close(code, reason);
      },
      onMessage: (receive) => {
        socket.on('message', (message: Buffer) => {
          releaseInflater();
          // Messages may still arrive while the WebSocket closes.
          if (!limits.acceptMessage() || socket.readyState !== socket.OPEN) return;
          receive(message.toString('utf8')).catch((error: unknown) => {
            logger.error({ ...logFields(), error: errorMessage(error) }, 'message handling failed');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    { client, request, session, limits },
  );
  socket.once('close', (code, reason) => {
    session[Symbol.dispose]();
    limits[Symbol.dispose]();
    closed(code, reason.toString('utf8')).catch((error: unknown) => {
      logger.error({ ...logFields(), error: errorMessage(error) }, 'closing a socket failed');
    });
  });
}
