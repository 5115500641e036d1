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
import { type Clock, errorMessage, TAP_PATH } from '../../shared/index.js';
import type { Logger } from '../../telemetry/index.js';
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

/** WebSocket close code that clients answer by connecting again, */
export const CLOSE_GOING_AWAY = 1001;
/** and what is said with it; */
export const GOING_AWAY_REASON = 'Server is going away';
/** and one that they answer so a little later. */
const TRY_AGAIN_LATER = 1013;

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
  /** Whether clients that ask for it get compressed updates. */
  readonly compress: boolean;
  readonly limits: Limits;
  readonly counters: LimitCounters;
  readonly subscriptions: SubscriptionLimits;
  readonly admission: Pick<ConnectionAdmission, 'rejectionFor'>;
  /** Whether everybody is being asked to leave. */
  readonly isDraining: () => boolean;
  readonly clock: Clock;
  /** The only documents that are run; `null`: all are. */
  readonly trusted: TrustedDocuments | null;
  readonly logger: Logger;
}

/**
 * `graphql-transport-ws` on the HTTP server's port: graphql-ws runs the protocol, Yoga the operations. Disposing of it
 * waits until all sockets are closed.
 */
export function serveWebSockets(options: WebSocketServerOptions): AsyncDisposable {
  const { server, connections, taps, originPolicy, limits, admission } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxMessageBytes,
    maxFragments: limits.maxMessageFragments,
    handleProtocols,
    // Without context takeover one message's bytes are good for every socket, and no socket needs a window of its own.
    perMessageDeflate: options.compress && { serverNoContextTakeover: true, clientNoContextTakeover: true },
  });
  const acceptsSharedDeflate = trackSharedDeflate(sockets);
  const viewers = new ConcurrencyLimiter(limits.maxConnectionsPerViewer);
  const protocol = protocolServer(options);
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    // Not as a URL: what a request line holds need not be one.
    const path = (request.url ?? '/').split('?', 1)[0];
    const overload = admission.rejectionFor(request.socket);
    if (overload !== null) {
      if (path !== GRAPHQL_PATH || checkRequest(request, originPolicy) !== null) {
        rejectUpgrade(duplex, overload.status, overload.reason);
        return;
      }
      sockets.handleUpgrade(request, duplex, head, (socket) => {
        // Not refused, for the same reason as below, and not waited for: what says so is handed to the system at once.
        socket.on('error', () => undefined);
        socket.close(TRY_AGAIN_LATER, overload.reason);
        socket.terminate();
      });
      return;
    }
    if (path === TAP_PATH) {
      if (options.isDraining()) rejectUpgrade(duplex, 503, 'this node is about to stop: connect again');
      else taps.upgrade(request, duplex, head);
      return;
    }
    const refusal =
      path === GRAPHQL_PATH ? checkRequest(request, originPolicy) : { status: 404 as const, reason: 'not found' };
    if (refusal !== null) {
      rejectUpgrade(duplex, refusal.status, refusal.reason);
      return;
    }
    sockets.handleUpgrade(request, duplex, head, (socket) => {
      if (options.isDraining()) {
        // Not refused: clients of graphql-ws take an upgrade that fails for good, and a socket that is closed for a while.
        socket.on('error', (error) => options.logger.debug({ error: error.message }, 'socket error'));
        connections.add(socket, duplex);
        socket.close(CLOSE_GOING_AWAY, GOING_AWAY_REASON);
        return;
      }
      const client: SocketClient = {
        socket,
        stream: duplex,
        sendBuffer: connections.add(socket, duplex),
        mayDeflate: acceptsSharedDeflate(request),
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

function protocolServer({ graphql, sharing, limits, subscriptions, trusted }: WebSocketServerOptions): ProtocolServer {
  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    onConnect: async ({ connectionParams, extra }) =>
      (await extra.session.authenticate(connectionParams)) && extra.limits.acceptViewer(extra.session.viewer),
    // The enveloped functions, so that what holds over HTTP holds here: context, validation, masking.
    async onSubscribe({ extra, subscriptions: running }, id, params) {
      const { request: req, session } = extra;
      const tooMany = extra.limits.operationRejection(Object.keys(running).length);
      if (tooMany !== null) return [tooMany];
      const renew = (token: string) => session.reauthenticate(token);
      const { viewer, maxHz } = session;
      const enveloped = graphql.getEnveloped({
        req,
        maxHz,
        viewer,
        reauthenticate: renew,
        requestId: randomUUID(),
        params,
      });
      const { schema, parse, validate, contextFactory, execute, subscribe } = enveloped as EnvelopedFunctions; // see there
      try {
        const document = parse(trusted?.lookup(params) ?? params.query);
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        if (getOperationAST(document, params.operationName) == null) return [noSuchOperation(params.operationName)];
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
    execute: (args) => runnersOf(args).execute(args),
    subscribe: (args) =>
      subscriptions.run(
        runnersOf(args).extra.limits.subscriptions,
        args,
        () => subscribeShared(sharing, args) ?? runnersOf(args).subscribe(args),
      ),
  });
}

/** What graphql-ws would say as well, but without a code. */
function noSuchOperation(name: string | null | undefined): GraphQLError {
  const message = name == null ? 'Say which operation of the document is meant.' : `There is no operation "${name}".`;
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** What `getEnveloped` returns: envelop types it `any`, because the engine is a plugin's to choose; Yoga's is graphql's. */
interface EnvelopedFunctions extends Omit<OperationFunctions, 'id' | 'extra'> {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
}

/**
 * A subscription that may be shared: graphql-ws gets an iterator that only ends, and the group writes the messages.
 * `null` when it has to run by itself.
 */
function subscribeShared(
  sharing: SubscriptionSharing,
  args: ExecutionArgs,
): AsyncIterableIterator<never> | ExecutionResult | null {
  const { id, extra } = runnersOf(args);
  // The context is what the enveloped context factory has made.
  const shared = sharing.plan(args, args.contextValue as SchemaContext);
  if (shared === null) return null;
  return shared instanceof GraphQLError ? { errors: [shared] } : new SocketSubscription(shared, id, extra.client);
}

/** Everything that is not shared goes out as it is: compressing it would take a window and a compressor for each socket. */
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

/** The enveloped functions of this operation, which `onSubscribe` has put there. */
function runnersOf(args: ExecutionArgs): OperationFunctions {
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
  socket.on('error', (error) => logger.debug({ ...who(), error: error.message }, 'socket error'));
  const releaseInflater = createInflaterRelease(socket);
  const session = new SocketSession(authenticator, request.headers.authorization ?? null, (code, reason) =>
    socket.close(code, reason),
  );
  // A socket that is closed has no address any more.
  const address = toClientId(request, { subject: null });
  const who = (): { clientId: string } => ({ clientId: session.viewer?.subject ?? address });
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code = CloseCode.InternalServerError, reason) => {
        limits.closing(code);
        socket.close(code, reason);
      },
      onMessage: (receive) => {
        socket.on('message', (message: Buffer) => {
          releaseInflater();
          // What is on its way while the socket closes comes from somebody who has been shown the door.
          if (!limits.acceptMessage() || socket.readyState !== socket.OPEN) return;
          receive(message.toString('utf8')).catch((error: unknown) => {
            logger.error({ ...who(), error: errorMessage(error) }, 'message handling failed');
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
      logger.error({ ...who(), error: errorMessage(error) }, 'closing a socket failed');
    });
  });
}
