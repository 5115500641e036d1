import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type DocumentNode, type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Groups } from '../delivery/index.js';
import type { SchemaContext } from '../schema/index.js';
import { messageOf } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';
import type { Connections } from './connections.js';
import { GRAPHQL_PATH, type GraphQLHandler } from './graphql.js';
import { joinShared } from './sharing.js';

/** Bytes of one message from a client; an operation with its variables is far smaller. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/** `connection_init` may carry these; other keys are ignored, as clients send their own. */
const INIT = z.looseObject({ maxHz: z.number().positive().nullish() }).nullish();

interface Extra extends Record<PropertyKey, unknown> {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  maxHz: number | null;
}

export interface WebSocketOptions {
  readonly server: Server;
  readonly graphql: GraphQLHandler;
  readonly connections: Connections;
  readonly groups: Groups;
  readonly logger: Logger;
  /** Why an upgrade is refused; `null`: it is not. */
  readonly refuse: (request: IncomingMessage) => string | null;
}

/** `graphql-transport-ws` on the HTTP server's port: graphql-ws runs the protocol, Yoga the operations. */
export function serveWebSockets(options: WebSocketOptions): AsyncDisposable {
  const { server, connections, logger, refuse } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, handleProtocols });
  const protocol = protocolServer(options);
  const onUpgrade = (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const refusal =
      new URL(request.url ?? '/', 'http://localhost').pathname === GRAPHQL_PATH ? refuse(request) : 'not found';
    if (refusal !== null) {
      const status = refusal === 'not found' ? '404 Not Found' : '403 Forbidden';
      duplex.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n${refusal}\n`);
      return;
    }
    sockets.handleUpgrade(request, duplex, head, (socket) => {
      connections.add(socket);
      open(protocol, socket, request, logger);
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

function protocolServer({ graphql, groups }: WebSocketOptions): ProtocolServer {
  return makeServer<Record<string, unknown>, Extra>({
    onConnect({ connectionParams, extra }) {
      const init = INIT.safeParse(connectionParams);
      if (!init.success) {
        extra.socket.close(CloseCode.BadRequest, 'connection_init: "maxHz" must be a number above 0');
        return;
      }
      extra.maxHz = init.data?.maxHz ?? null;
    },
    // The enveloped functions, so that what holds over HTTP holds here: context, validation, masking.
    async onSubscribe({ extra }, id, params) {
      const enveloped = graphql.getEnveloped({ req: extra.request, maxHz: extra.maxHz, params });
      const { schema, parse, validate, contextFactory, execute, subscribe } = enveloped as Enveloped; // see there
      try {
        const document = parse(params.query);
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        return {
          schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe, id, socket: extra.socket },
        };
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
    },
    execute: (args) => runnersOf(args).execute(args),
    subscribe: (args) => subscribeShared(groups, args) ?? runnersOf(args).subscribe(args),
  });
}

/** What `getEnveloped` returns: envelop types it `any`, because the engine is a plugin's to choose; Yoga's is graphql's. */
interface Enveloped extends Omit<Runners, 'id' | 'socket'> {
  readonly schema: GraphQLSchema;
  readonly parse: (source: string) => DocumentNode;
  readonly validate: (schema: GraphQLSchema, document: DocumentNode) => readonly GraphQLError[];
  readonly contextFactory: () => unknown;
}

/**
 * A subscription that may be shared: graphql-ws gets an iterator that only ends, and the group writes the messages.
 * `null` when it has to run by itself.
 */
function subscribeShared(groups: Groups, args: ExecutionArgs): AsyncIterableIterator<never> | ExecutionResult | null {
  const { id, socket } = runnersOf(args);
  const prefix = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  // The context is what the enveloped context factory has made.
  const joined = joinShared(groups, args, args.contextValue as SchemaContext, (body) =>
    send(socket, `${prefix}${body}}`),
  );
  if (joined === null) return null;
  return joined instanceof GraphQLError ? { errors: [joined] } : untilLeft(joined);
}

function send(socket: WebSocket, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(message, (error) => (error == null ? resolve() : reject(error)));
  });
}

/** Yields nothing and ends when it is left. */
function untilLeft(joined: Disposable): AsyncIterableIterator<never> {
  const left = new AbortController();
  const end = new Promise<IteratorReturnResult<undefined>>((resolve) => {
    left.signal.addEventListener('abort', () => resolve({ done: true, value: undefined }), { once: true });
  });
  const iterator: AsyncIterableIterator<never> = {
    [Symbol.asyncIterator]: () => iterator,
    next: () => end,
    return() {
      joined[Symbol.dispose]();
      left.abort();
      return end;
    },
  };
  return iterator;
}

interface Runners {
  readonly id: string;
  readonly socket: WebSocket;
  readonly execute: NonNullable<ServerOptions['execute']>;
  readonly subscribe: NonNullable<ServerOptions['subscribe']>;
}

/** The enveloped functions of this operation, which `onSubscribe` has put there. */
function runnersOf(args: ExecutionArgs): Runners {
  return args.rootValue as Runners; // see `onSubscribe`: graphql types the root value as unknown
}

function open(protocol: ProtocolServer, socket: WebSocket, request: IncomingMessage, logger: Logger): void {
  socket.on('error', (error) => logger.debug({ error: error.message }, 'socket error'));
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => send(socket, data),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) => {
        socket.on('message', (message: Buffer) => {
          receive(message.toString('utf8')).catch((error: unknown) => {
            logger.error({ error: messageOf(error) }, 'message handling failed');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        });
      },
    },
    { socket, request, maxHz: null },
  );
  socket.once('close', (code, reason) => {
    closed(code, reason.toString('utf8')).catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, 'closing a socket failed');
    });
  });
}
