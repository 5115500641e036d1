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
import type { CloseCounters } from '../limits/close-counters.js';
import type { ConnectionRegistry } from './connection-registry.js';
import { GRAPHQL_PATH, type GraphQLHandler } from '../graphql-handler.js';
import { toClientId } from '../limits/client-identity.js';
import type { RequestAdmission } from '../limits/request-admission.js';
import { createInflaterRelease, trackSharedDeflate } from './deflate-extension.js';
import { parseClientMessage } from './client-message.js';
import { checkRequest, type OriginPolicy } from '../http/request-origin.js';
import type { ErrorMasker } from '../plugins/error-masking.js';
import { rejectUpgrade } from '../http/reject-upgrade.js';
import type { SubscriptionSharing } from '../sharing/shared-subscriptions.js';
import { MessageGate } from './message-gate.js';
import { MessageTurns } from './message-turns.js';
import { OperationTurns } from './operation-turns.js';
import { SocketLimits } from './socket-limits.js';
import { type SocketClient, SocketSubscription } from './socket-subscription.js';
import { SocketSession } from './socket-session.js';
import { toFormattedError, unknownOperationError } from '../plugins/http-results.js';
import type { SubscriptionLimits } from '../plugins/subscription-limits.js';
import type { TapAcceptor } from './tap-acceptor.js';
import type { TrustedDocuments } from '../plugins/trusted-documents.js';

/** Messages of the maximum size that may wait while a client does not read. */
const WAITING_MESSAGES = 8;

/** Close reason sent with `CLOSE_GOING_AWAY`. */
export const GOING_AWAY_REASON = 'Server is going away';

interface Extra extends Record<PropertyKey, unknown> {
  readonly client: SocketClient;
  readonly request: IncomingMessage;
  readonly session: SocketSession;
  readonly limits: SocketLimits;
  readonly turns: OperationTurns;
}

export interface WebSocketServerOptions {
  readonly server: Server;
  readonly graphql: GraphQLHandler;
  /** Admission of all transports. */
  readonly requests: RequestAdmission;
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
  readonly closes: CloseCounters;
  readonly mask: ErrorMasker;
  readonly logger: Logger;
}

/**
 * Serves `graphql-transport-ws` on the port of the HTTP server. graphql-ws runs the protocol, Yoga the operations.
 * Disposing the result waits until all WebSockets are closed.
 */
export function serveWebSockets(options: WebSocketServerOptions): AsyncDisposable {
  const { server, connections, taps, originPolicy, limits, admission, closes, logger } = options;
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
  const turns = new MessageTurns();
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    // A closed socket has no address.
    const clientId = toClientId(request, null);
    const reject = ({ status, reason }: UpgradeRejection): void => {
      closes.upgradeRejected(status);
      logger.debug({ clientId, status, reason }, 'upgrade rejected');
      rejectUpgrade(duplex, status, reason);
    };
    // A request line need not contain a valid URL.
    const path = (request.url ?? '/').split('?', 1)[0];
    const overload = admission.rejectionFor(request.socket);
    if (overload !== null) {
      if (path !== GRAPHQL_PATH || checkRequest(request, originPolicy) !== null) {
        reject(overload);
        return;
      }
      sockets.handleUpgrade(request, duplex, head, (socket) => {
        // Accepted and closed with a code, because graphql-ws clients treat a rejected upgrade as fatal.
        const connection = connections.add(socket, duplex, () => ({ clientId }));
        connection.close(CLOSE_TRY_AGAIN_LATER, overload.reason);
        connection.terminate();
      });
      return;
    }
    if (path === TAP_PATH) {
      if (options.isDraining()) reject({ status: 503, reason: 'This node is shutting down. Connect again.' });
      else taps.upgrade(request, duplex, head);
      return;
    }
    const rejection =
      path === GRAPHQL_PATH ? checkRequest(request, originPolicy) : { status: 404 as const, reason: 'Not found.' };
    if (rejection !== null) {
      reject(rejection);
      return;
    }
    sockets.handleUpgrade(request, duplex, head, (socket) => {
      if (options.isDraining()) {
        // Accepted and closed with a code, because graphql-ws clients treat a rejected upgrade as fatal.
        connections.add(socket, duplex, () => ({ clientId })).close(CLOSE_GOING_AWAY, GOING_AWAY_REASON);
        return;
      }
      const limitsOfSocket = new SocketLimits(request, viewers, options);
      const opened = { socket, duplex, request, clientId, limits: limitsOfSocket, turns };
      open(protocol, opened, acceptsSharedDeflate(request), options);
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

/** HTTP status and reason with which an upgrade request is rejected. */
interface UpgradeRejection {
  readonly status: Parameters<typeof rejectUpgrade>[1];
  readonly reason: string;
}

type ProtocolServer = ReturnType<typeof makeServer<Record<string, unknown>, Extra>>;

function createProtocolServer({
  graphql,
  sharing,
  limits,
  subscriptions,
  trusted,
  mask,
}: WebSocketServerOptions): ProtocolServer {
  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    onConnect: async ({ connectionParams, extra }) =>
      (await extra.session.authenticate(connectionParams)) && extra.limits.acceptViewer(extra.session.viewer),
    // The enveloped functions apply the same context, validation and error masking as over HTTP.
    async onSubscribe(protocolContext, id, params) {
      const { extra, subscriptions: running } = protocolContext;
      const { request: req, session } = extra;
      const { viewer, rateLimit } = session;
      const rejection = await extra.limits.operationRejection(Object.keys(running).length, viewer);
      if (rejection !== null) return [rejection];
      const enveloped = graphql.getEnveloped({
        req,
        rateLimit,
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
          return [unknownOperationError(document, params.operationName)];
        return {
          schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe, id, extra, isWanted: () => id in protocolContext.subscriptions },
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
    },
    onNext: (_protocolContext, _id, _payload, _args, result) => {
      if (result.errors === undefined) return;
      const { data } = result;
      const errors = result.errors.map((error) => toFormattedError(toCodedError(mask, error)));
      return { ...(data !== undefined && { data }), errors };
    },
    onError: (_protocolContext, _id, _payload, errors) =>
      errors.map((error) => toFormattedError(toCodedError(mask, error))),
    execute: async (args) => {
      const { extra, isWanted, execute } = operationFunctions(args);
      // The enveloped context factory created the context.
      const { answer } = args.contextValue as SchemaContext;
      // graphql-ws sends no result for an operation that the client has completed.
      return (await extra.turns.run(answer ?? NOT_SLICED, isWanted, () => execute(args))) ?? {};
    },
    subscribe: (args) =>
      subscriptions.run(
        operationFunctions(args).extra.limits.subscriptions,
        args,
        () => subscribeShared(sharing, args) ?? operationFunctions(args).subscribe(args),
      ),
  });
}

/** Result of `getEnveloped`. Envelop types it `any`, because plugins may replace graphql; Yoga uses graphql. */
interface EnvelopedFunctions extends Omit<OperationFunctions, 'id' | 'extra' | 'isWanted'> {
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

const NOT_SLICED = { isSlicing: false };

/** Returns whether an error has no code. graphql-ws creates errors itself, for example of a stream that fails. */
function hasNoCode({ extensions }: GraphQLError): boolean {
  return typeof extensions['code'] !== 'string';
}

function toCodedError(mask: ErrorMasker, error: GraphQLError): GraphQLError {
  return hasNoCode(error) ? mask.mask(error, { requestId: randomUUID() }) : error;
}

interface OperationFunctions {
  readonly id: string;
  readonly extra: Extra;
  /** Whether the client has not completed the operation. */
  readonly isWanted: () => boolean;
  readonly execute: NonNullable<ServerOptions['execute']>;
  readonly subscribe: (args: ExecutionArgs) => PromiseLike<ExecutionResult | AsyncIterable<ExecutionResult>>;
}

/** Returns the enveloped functions of an operation, which `onSubscribe` stored in the root value. */
function operationFunctions(args: ExecutionArgs): OperationFunctions {
  return args.rootValue as OperationFunctions; // see `onSubscribe`: graphql types the root value as unknown
}

interface OpenedSocket {
  readonly socket: WebSocket;
  readonly duplex: Duplex;
  readonly request: IncomingMessage;
  /** Address of the client. */
  readonly clientId: string;
  readonly limits: SocketLimits;
  readonly turns: MessageTurns;
}

function open(
  protocol: ProtocolServer,
  { socket, duplex, request, clientId, limits, turns }: OpenedSocket,
  acceptsSharedDeflate: boolean,
  { connections, requests, limits: { maxMessageBytes }, logger }: WebSocketServerOptions,
): void {
  const logFields = (): { clientId: string } => ({ clientId: session.viewer?.subject ?? clientId });
  const connection = connections.add(socket, duplex, logFields);
  const close = (code: number, reason: string): void => connection.close(code, reason);
  const session = new SocketSession(requests.forSocket(request), request.headers.authorization ?? null, close);
  limits.watch(connection);
  const releaseInflater = createInflaterRelease(socket);
  const { sendBuffer } = connection;
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => connection.send(data),
      close: (code = CloseCode.InternalServerError, reason = '') => {
        limits.recordClose(code);
        close(code, reason);
      },
      onMessage: (receive) => {
        const gate = new MessageGate({
          sendBuffer,
          turns,
          socket,
          maxBytes: WAITING_MESSAGES * maxMessageBytes,
          receive: (message) => {
            // Messages may still arrive while the WebSocket closes.
            if (!connection.isOpen) return;
            receive(message).catch((error: unknown) => {
              logger.error({ ...logFields(), error: errorMessage(error) }, 'message handling failed');
              close(CloseCode.InternalServerError, 'Internal server error');
            });
          },
          onExceeded: () => close(CLOSE_TRY_AGAIN_LATER, 'Client sends without reading'),
        });
        socket.on('message', (bytes: Buffer, isBinary) => {
          releaseInflater();
          if (!limits.acceptMessage() || !connection.isOpen) return;
          const message = parseClientMessage(bytes, isBinary);
          if (message.problem !== null) close(CloseCode.BadRequest, message.problem);
          else gate.push(message.text, bytes.length);
        });
        socket.once('close', () => gate.clear());
      },
    },
    {
      client: { connection, acceptsSharedDeflate },
      request,
      session,
      limits,
      turns: new OperationTurns(sendBuffer),
    },
  );
  socket.once('close', (code, reason) => {
    session[Symbol.dispose]();
    limits[Symbol.dispose]();
    closed(code, reason.toString('utf8')).catch((error: unknown) => {
      logger.error({ ...logFields(), error: errorMessage(error) }, 'closing a socket failed');
    });
  });
}
