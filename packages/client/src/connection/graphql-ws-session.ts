import { type Client, createClient } from 'graphql-ws/client';
import { CLOSE_ABNORMAL } from './close-codes.js';
import type { TypedDocument } from '../typed-document.js';
import { isErrorList, OperationError } from '../run-operation.js';
import type { WebSocketLike, WebSocketClass } from './websocket.js';

/** Who gets the answers of an operation. Nothing is called any more once the session is over, or the operation stopped. */
export interface Sink<TResult> {
  next(result: TResult): void;
  /** The server refused it, or a part of it. It is over. */
  error(error: OperationError): void;
  /** The server ended it. */
  complete(): void;
}

/** How a session ended. */
export interface SocketClose {
  /** WebSocket close code. */
  readonly code: number;
  /** The server's words, or those of the WebSocket; empty where there are none. */
  readonly reason: string;
}

export interface GraphqlWsSessionOptions {
  readonly url: string;
  readonly socketClass: WebSocketClass;
  readonly connectionParams: Record<string, unknown>;
  /** The server has let us in. */
  readonly onOpen: (session: GraphqlWsSession) => void;
  readonly onPong: () => void;
}

/**
 * One WebSocket, from `connection_init` to its end; never a second one. graphql-ws speaks the protocol; that it would
 * connect again by itself is switched off, because whoever resumes has another document to send then.
 */
export class GraphqlWsSession {
  /** Resolves when it is over; nothing of it is called back afterwards. */
  readonly ended: Promise<SocketClose>;
  readonly #socket: WebSocketLike;
  readonly #client: Client;
  #end: (end: SocketClose) => void = () => undefined;
  #isOver = false;
  #failureReason = '';

  /** @throws whatever the WebSocket class throws, for an address that it does not like */
  constructor({ url, socketClass, connectionParams, onOpen, onPong }: GraphqlWsSessionOptions) {
    const socket = new socketClass(url, 'graphql-transport-ws');
    this.#socket = socket;
    // An error without a listener would end a Node.js process.
    socket.addEventListener('error', () => undefined);
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#client = createClient({
      url,
      // graphql-ws calls this with `new`, and gets the socket that is there already.
      webSocketImpl: Object.assign(
        function () {
          return socket;
        },
        { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 },
      ),
      connectionParams,
      lazy: false,
      retryAttempts: 0,
      onNonLazyError: () => undefined,
      on: {
        connected: () => {
          if (!this.#isOver) onOpen(this);
        },
        pong: (received) => {
          if (received && !this.#isOver) onPong();
        },
        error: (error) => {
          this.#failureReason = messageOf(error);
          // A message that is none of the protocol. What happens to a WebSocket is an event, and its close follows.
          if (error instanceof Error) this.#finish({ code: CLOSE_ABNORMAL, reason: this.#failureReason });
        },
        closed: (event) => this.#finish(endOf(event, this.#failureReason)),
      },
    });
  }

  /** Starts an operation; call what it returns to stop it. */
  start<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    variables: TVariables,
    sink: Sink<TResult>,
  ): () => void {
    let isOver = false;
    const finish = (tell: () => void): void => {
      if (isOver || this.#isOver) return;
      isOver = true;
      stop();
      tell();
    };
    const stop = this.#client.subscribe<TResult>(
      { query: document, variables },
      {
        next: ({ data, errors }) => {
          if (isOver || this.#isOver) return;
          if (errors === undefined && data != null) sink.next(data);
          else finish(() => sink.error(new OperationError(errors ?? [{ message: 'an answer without data' }])));
        },
        // What is no list of errors is the end of the connection, which is told elsewhere.
        error: (error) => {
          if (isErrorList(error)) finish(() => sink.error(new OperationError(error)));
        },
        complete: () => finish(() => sink.complete()),
      },
    );
    return () => {
      isOver = true;
      stop();
    };
  }

  ping(): void {
    this.#socket.send('{"type":"ping"}');
  }

  /** Ends it. Resolves when the server has answered that, which it need not. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    const closed = new Promise<void>((resolve) => this.#socket.addEventListener('close', resolve));
    this.#finish({ code: 1000, reason: '' });
    await closed;
  }

  /** Ends it, without waiting for a server that does not answer. */
  kill(): void {
    this.#finish({ code: CLOSE_ABNORMAL, reason: 'the server does not answer' });
    this.#socket.terminate?.();
  }

  #finish(end: SocketClose): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // graphql-ws marks itself as disposed at once; what it waits for then may never come.
    Promise.resolve(this.#client.dispose()).catch(() => undefined);
    this.#socket.close(1000, 'Normal Closure');
    // Lets go of all that waits inside of it.
    this.#client.terminate();
    this.#end(end);
  }
}

function endOf(event: unknown, trouble: string): SocketClose {
  if (typeof event !== 'object' || event === null) return { code: CLOSE_ABNORMAL, reason: trouble };
  const code = 'code' in event && typeof event.code === 'number' ? event.code : CLOSE_ABNORMAL;
  const reason = 'reason' in event && typeof event.reason === 'string' ? event.reason : '';
  return { code, reason: reason === '' ? trouble : reason };
}

/** Of an `Error`, or of the event that `ws` makes of one; browsers tell nothing. */
function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  return typeof error.message === 'string' ? error.message : '';
}
