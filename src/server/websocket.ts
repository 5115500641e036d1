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
import type { Authenticator } from '../auth/index.js';
import type { Member } from '../delivery/index.js';
import type { SchemaContext } from '../schema/index.js';
import { messageOf, TAP_PATH } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import type { Connections } from './connections.js';
import { GRAPHQL_PATH, type GraphQLHandler } from './graphql.js';
import { deflationOf } from './inflater.js';
import { type DoorOptions, refusalOf } from './origin.js';
import type { Outlet } from './outlet.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { MessagePrefix, type SharedMessage } from './shared-message.js';
import type { SharedSubscription, Sharing } from './sharing.js';
import { SocketSession } from './socket-session.js';
import type { TapGate } from './tap-gate.js';
import type { TrustedDocuments } from './trusted-documents.js';

/** Bytes of one message from a client; an operation with its variables is far smaller. */
const MAX_MESSAGE_BYTES = 256 * 1024;

interface Extra extends Record<PropertyKey, unknown> {
  readonly client: Client;
  readonly request: IncomingMessage;
  readonly session: SocketSession;
}

/** One socket. */
interface Client {
  readonly socket: WebSocket;
  /** What the socket's frames are written to. */
  readonly stream: Duplex;
  readonly outlet: Outlet;
  readonly mayDeflate: boolean;
}

export interface WebSocketOptions {
  readonly server: Server;
  readonly graphql: GraphQLHandler;
  readonly authenticator: Authenticator;
  readonly door: DoorOptions;
  readonly connections: Connections;
  readonly sharing: Sharing;
  readonly taps: Pick<TapGate, 'upgrade'>;
  /** Whether clients that ask for it get compressed updates. */
  readonly compress: boolean;
  /** The only documents that are run; `null`: all are. */
  readonly trusted: TrustedDocuments | null;
  readonly logger: Logger;
}

/** `graphql-transport-ws` on the HTTP server's port: graphql-ws runs the protocol, Yoga the operations. */
export function serveWebSockets(options: WebSocketOptions): AsyncDisposable {
  const { server, connections, taps, door } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols,
    // Without context takeover one message's bytes are good for every socket, and no socket needs a window of its own.
    perMessageDeflate: options.compress && { serverNoContextTakeover: true, clientNoContextTakeover: true },
  });
  const protocol = protocolServer(options);
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    // Not as a URL: what a request line holds need not be one.
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === TAP_PATH) {
      taps.upgrade(request, duplex, head);
      return;
    }
    const refusal = path === GRAPHQL_PATH ? refusalOf(request, door) : { status: 404 as const, reason: 'not found' };
    if (refusal !== null) {
      refuseUpgrade(duplex, refusal.status, refusal.reason);
      return;
    }
    sockets.handleUpgrade(request, duplex, head, (socket) => {
      open(protocol, socket, duplex, connections.add(socket, duplex), request, options);
    });
  };
  server.on('upgrade', onUpgrade);
  return {
    async [Symbol.asyncDispose]() {
      server.off('upgrade', onUpgrade);
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
    },
  };
}

type ProtocolServer = ReturnType<typeof makeServer<Record<string, unknown>, Extra>>;

function protocolServer({ graphql, sharing, trusted }: WebSocketOptions): ProtocolServer {
  return makeServer<Record<string, unknown>, Extra>({
    onConnect: ({ connectionParams, extra }) => extra.session.begin(connectionParams),
    // The enveloped functions, so that what holds over HTTP holds here: context, validation, masking.
    async onSubscribe({ extra }, id, params) {
      const { request: req, session } = extra;
      const renew = (token: string) => session.renew(token);
      const { viewer, maxHz } = session;
      const enveloped = graphql.getEnveloped({ req, maxHz, viewer, renew, requestId: randomUUID(), params });
      const { schema, parse, validate, contextFactory, execute, subscribe } = enveloped as Enveloped; // see there
      try {
        const document = parse(trusted?.named(params) ?? params.query);
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        if (getOperationAST(document, params.operationName) == null) return [noSuchOperation(params.operationName)];
        return {
          schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe, id, client: extra.client },
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
    },
    execute: (args) => runnersOf(args).execute(args),
    subscribe: (args) => subscribeShared(sharing, args) ?? runnersOf(args).subscribe(args),
  });
}

/** What graphql-ws would say as well, but without a code. */
function noSuchOperation(name: string | null | undefined): GraphQLError {
  const message = name == null ? 'Say which operation of the document is meant.' : `There is no operation "${name}".`;
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** What `getEnveloped` returns: envelop types it `any`, because the engine is a plugin's to choose; Yoga's is graphql's. */
interface Enveloped extends Omit<Runners, 'id' | 'client'> {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
}

/**
 * A subscription that may be shared: graphql-ws gets an iterator that only ends, and the group writes the messages.
 * `null` when it has to run by itself.
 */
function subscribeShared(sharing: Sharing, args: ExecutionArgs): AsyncIterableIterator<never> | ExecutionResult | null {
  const { id, client } = runnersOf(args);
  // The context is what the enveloped context factory has made.
  const shared = sharing.plan(args, args.contextValue as SchemaContext);
  if (shared === null) return null;
  return shared instanceof GraphQLError ? { errors: [shared] } : new SocketMember(shared, id, client);
}

/** A subscription over a WebSocket as a member of a group; to graphql-ws an iterator that yields nothing and ends when it is left. */
class SocketMember implements Member<SharedMessage>, AsyncIterableIterator<never> {
  readonly after: Member<SharedMessage>['after'];
  readonly #client: Client;
  readonly #prefix: MessagePrefix;
  readonly #seat: Disposable;
  readonly #room: Disposable;
  #end: ((result: typeof END) => void) | null = null;
  #ended = false;

  constructor(shared: SharedSubscription, id: string, client: Client) {
    this.after = shared.after;
    this.#client = client;
    this.#prefix = new MessagePrefix(id);
    const seat = shared.join(this);
    this.#seat = seat;
    this.#room = client.outlet.onRoom(() => seat.ready());
  }

  hasRoom(): boolean {
    return this.#client.outlet.hasRoom();
  }

  deliver(message: SharedMessage): void {
    const { socket, stream, outlet, mayDeflate } = this.#client;
    if (socket.readyState === socket.OPEN) outlet.sent(message.writeTo(stream, this.#prefix, mayDeflate));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<typeof END> {
    return this.#ended ? Promise.resolve(END) : new Promise((resolve) => (this.#end = resolve));
  }

  return(): Promise<typeof END> {
    this.#ended = true;
    this.#seat[Symbol.dispose]();
    this.#room[Symbol.dispose]();
    this.#end?.(END);
    this.#end = null;
    return Promise.resolve(END);
  }
}

const END = { done: true, value: undefined } as const;

/** Everything that is not shared goes out as it is: compressing it would take a window and a compressor for each socket. */
function send(socket: WebSocket, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(message, { compress: false }, (error) => (error == null ? resolve() : reject(error)));
  });
}

interface Runners {
  readonly id: string;
  readonly client: Client;
  readonly execute: NonNullable<ServerOptions['execute']>;
  readonly subscribe: NonNullable<ServerOptions['subscribe']>;
}

/** The enveloped functions of this operation, which `onSubscribe` has put there. */
function runnersOf(args: ExecutionArgs): Runners {
  return args.rootValue as Runners; // see `onSubscribe`: graphql types the root value as unknown
}

function open(
  protocol: ProtocolServer,
  socket: WebSocket,
  stream: Duplex,
  outlet: Outlet,
  request: IncomingMessage,
  { authenticator, logger }: WebSocketOptions,
): void {
  socket.on('error', (error) => logger.debug({ error: error.message }, 'socket error'));
  const deflation = deflationOf(socket);
  const client: Client = { socket, stream, outlet, mayDeflate: deflation?.mayDeflate ?? false };
  const session = new SocketSession(authenticator, request.headers.authorization ?? null, (code, reason) =>
    socket.close(code, reason),
  );
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) => {
        socket.on('message', (message: Buffer) => {
          deflation?.forget();
          // What is on its way while the socket closes comes from somebody who has been shown the door.
          if (socket.readyState !== socket.OPEN) return;
          receive(message.toString('utf8')).catch((error: unknown) => {
            logger.error({ error: messageOf(error) }, 'message handling failed');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    { client, request, session },
  );
  socket.once('close', (code, reason) => {
    session[Symbol.dispose]();
    closed(code, reason.toString('utf8')).catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, 'closing a socket failed');
    });
  });
}
