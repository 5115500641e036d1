import type { Connection } from './connection/connection.js';
import { SwarmClientError } from './errors.js';
import { abortReason, lastResultSink } from './session-request.js';
import type { TypedDocument } from './typed-document.js';

/** Reaction to a connection that breaks before the response: send the operation again, or reject. */
export type OnConnectionLost = 'RETRY' | 'FAIL';

/**
 * Runs a query or mutation as soon as the connection is open.
 *
 * @throws OperationError if the server responds with errors
 * @throws SwarmClientError if the connection is closed for good, or breaks and `onConnectionLost` is FAIL
 * @throws the reason of `signal` if it aborts
 */
export function requestOnce<TResult, TVariables extends Record<string, unknown>>(
  connection: Pick<Connection, 'attach'>,
  document: TypedDocument<TResult, TVariables>,
  variables: TVariables,
  onConnectionLost: OnConnectionLost,
  signal: AbortSignal | undefined,
): Promise<TResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal));
      return;
    }
    let stop = (): void => undefined;
    let detach = (): void => undefined;
    const state = { isSettled: false };
    const finish = (settle: () => void): void => {
      state.isSettled = true;
      signal?.removeEventListener('abort', abort);
      stop();
      detach();
      settle();
    };
    const fail = (error: Error): void => finish(() => reject(error));
    const abort = (): void => {
      if (signal !== undefined) fail(abortReason(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
    detach = connection.attach({
      opened: (session) => {
        const sink = lastResultSink<TResult>((result) => finish(() => resolve(result)), fail);
        stop = session.start(document, variables, sink);
      },
      lost: () => {
        if (onConnectionLost === 'FAIL') fail(createLostError());
      },
      ended: (error) => fail(error ?? createClosedError()),
    });
    // `attach` may have called `ended` before it returned.
    if (state.isSettled) detach();
  });
}

function createLostError(): SwarmClientError {
  return new SwarmClientError(
    'CONNECTION_LOST',
    'The connection broke before the response. The mutation may have been executed: check before you retry.',
  );
}

function createClosedError(): SwarmClientError {
  return new SwarmClientError('CLIENT_CLOSED', 'The client is closed. Create a new one.');
}
