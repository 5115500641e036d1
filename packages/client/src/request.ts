import { lastResultSink, abortReason } from './session-request.js';
import type { Connection } from './connection/connection.js';
import type { TypedDocument } from './typed-document.js';
import { SwarmClientError } from './errors.js';

/** What becomes of an operation when the connection breaks before its answer: it is asked again, or given up. */
export type OnConnectionLost = 'AGAIN' | 'FAIL';

/**
 * One answer, as soon as there is a connection.
 *
 * @throws OperationError the server refused it
 * @throws SwarmClientError the connection has ended for good, or broke and `whenLost` says FAIL
 * @throws the reason of `signal`
 */
export function requestOnce<TResult, TVariables extends Record<string, unknown>>(
  connection: Pick<Connection, 'attach'>,
  document: TypedDocument<TResult, TVariables>,
  variables: TVariables,
  whenLost: OnConnectionLost,
  signal: AbortSignal | undefined,
): Promise<TResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal));
      return;
    }
    let stop = (): void => undefined;
    let leave = (): void => undefined;
    const state = { isOver: false };
    const end = (settle: () => void): void => {
      state.isOver = true;
      signal?.removeEventListener('abort', abort);
      stop();
      leave();
      settle();
    };
    const fail = (error: Error): void => end(() => reject(error));
    const abort = (): void => {
      if (signal !== undefined) fail(abortReason(signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
    leave = connection.attach({
      opened: (session) => {
        const sink = lastResultSink<TResult>((answer) => end(() => resolve(answer)), fail);
        stop = session.start(document, variables, sink);
      },
      lost: () => {
        if (whenLost === 'FAIL') fail(lost());
      },
      ended: (error) => fail(error ?? closed()),
    });
    // It may have been told the end while it joined.
    if (state.isOver) leave();
  });
}

function lost(): SwarmClientError {
  const message = 'The connection broke before the answer: it may have been done or not. Look before trying again.';
  return new SwarmClientError('CONNECTION_LOST', message);
}

function closed(): SwarmClientError {
  return new SwarmClientError('CLIENT_CLOSED', 'The client is closed: make a new one.');
}
