import { type Client, createClient } from 'graphql-ws/client';
import { isErrorList, OperationError } from '../run-operation.js';
import type { TypedDocument } from '../typed-document.js';
import { CLOSE_ABNORMAL } from './close-codes.js';
import type { WebSocketClass, WebSocketLike } from './websocket.js';

/** Receives the results of an operation. Receives nothing after the session has ended or the operation was stopped. */
export interface Sink<TResult> {
  next(result: TResult): void;
  /** Called when the server responds with errors. The operation has ended. */
  error(error: OperationError): void;
  /** Called when the server completes the operation. */
  complete(): void;
}

/** End of a session. */
export interface SocketClose {
  /** WebSocket close code. */
  readonly code: number;
  /** Reason given by the server or the WebSocket. Empty if there is none. */
  readonly reason: string;
}

export interface GraphqlWsSessionOptions {
  readonly url: string;
  readonly socketClass: WebSocketClass;
  readonly connectionParams: Record<string, unknown>;
  /** Called when the server has acknowledged the connection. */
  readonly onOpen: (session: GraphqlWsSession) => void;
  readonly onPong: () => void;
}

/**
 * One WebSocket from `connection_init` to its end. Uses graphql-ws for the protocol, without its reconnection: after a
 * reconnection, streams send other documents than before.
 */
export class GraphqlWsSession {
  /** Resolves when the session ends. No callback is called afterwards. */
  readonly ended: Promise<SocketClose>;
  readonly #socket: WebSocketLike;
  readonly #client: Client;
  #resolveEnded: (close: SocketClose) => void = () => undefined;
  #isClosed = false;
  #failureReason = '';

  /** @throws the error of the WebSocket class if it rejects the URL */
  constructor({ url, socketClass, connectionParams, onOpen, onPong }: GraphqlWsSessionOptions) {
    const socket = new socketClass(url, 'graphql-transport-ws');
    this.#socket = socket;
    // In Node.js, an `error` event without a listener ends the process.
    socket.addEventListener('error', () => undefined);
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#client = createClient({
      url,
      // graphql-ws calls this with `new`, and receives the existing socket.
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
          if (!this.#isClosed) onOpen(this);
        },
        pong: (received) => {
          if (received && !this.#isClosed) onPong();
        },
        error: (error) => {
          this.#failureReason = toMessage(error);
          // An Error means an invalid message. Errors of the socket are events, and a `closed` event follows.
          if (error instanceof Error) this.#finish({ code: CLOSE_ABNORMAL, reason: this.#failureReason });
        },
        closed: (event) => this.#finish(toSocketClose(event, this.#failureReason)),
      },
    });
  }

  /** Starts an operation. Returns a function that stops it. */
  start<TResult, TVariables extends Record<string, unknown>>(
    document: TypedDocument<TResult, TVariables>,
    variables: TVariables,
    sink: Sink<TResult>,
  ): () => void {
    let isStopped = false;
    const finish = (notify: () => void): void => {
      if (isStopped || this.#isClosed) return;
      isStopped = true;
      stop();
      notify();
    };
    const stop = this.#client.subscribe<TResult>(
      { query: document, variables },
      {
        next: ({ data, errors }) => {
          if (isStopped || this.#isClosed) return;
          if (errors === undefined && data != null) sink.next(data);
          else finish(() => sink.error(new OperationError(errors ?? [{ message: 'The response has no data.' }])));
        },
        // Anything but a list of errors is the end of the connection, which `ended` reports.
        error: (error) => {
          if (isErrorList(error)) finish(() => sink.error(new OperationError(error)));
        },
        complete: () => finish(() => sink.complete()),
      },
    );
    return () => {
      isStopped = true;
      stop();
    };
  }

  ping(): void {
    this.#socket.send('{"type":"ping"}');
  }

  /** Closes the WebSocket. Resolves when the server has confirmed; never resolves if it does not. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const closed = new Promise<void>((resolve) => this.#socket.addEventListener('close', resolve));
    this.#finish({ code: 1000, reason: '' });
    await closed;
  }

  /** Closes the WebSocket without waiting for the server. */
  kill(): void {
    this.#finish({ code: CLOSE_ABNORMAL, reason: 'the server does not respond' });
    this.#socket.terminate?.();
  }

  #finish(close: SocketClose): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // `dispose` may never resolve, but marks the graphql-ws client as disposed immediately.
    Promise.resolve(this.#client.dispose()).catch(() => undefined);
    this.#socket.close(1000, 'Normal Closure');
    // Releases everything that waits inside graphql-ws.
    this.#client.terminate();
    this.#resolveEnded(close);
  }
}

function toSocketClose(event: unknown, failureReason: string): SocketClose {
  if (typeof event !== 'object' || event === null) return { code: CLOSE_ABNORMAL, reason: failureReason };
  const code = 'code' in event && typeof event.code === 'number' ? event.code : CLOSE_ABNORMAL;
  const reason = 'reason' in event && typeof event.reason === 'string' ? event.reason : '';
  return { code, reason: reason === '' ? failureReason : reason };
}

/** Returns the message of an `Error` or of an error event of `ws`. Empty for events of browsers, which have none. */
function toMessage(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  return typeof error.message === 'string' ? error.message : '';
}
