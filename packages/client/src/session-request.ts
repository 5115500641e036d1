import type { GraphqlWsSession, Sink } from './connection/graphql-ws-session.js';
import type { TypedDocument } from './typed-document.js';

/**
 * Runs a query or mutation on one session.
 *
 * @param signal must abort when the session ends
 * @throws OperationError if the server responds with errors
 * @throws the reason of `signal` if it aborts
 */
export function requestOverSocket<TResult, TVariables extends Record<string, unknown>>(
  session: GraphqlWsSession,
  document: TypedDocument<TResult, TVariables>,
  variables: TVariables,
  signal: AbortSignal,
): Promise<TResult> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      stop();
      settle();
    };
    const abort = (): void => finish(() => reject(abortReason(signal)));
    let stop = (): void => undefined;
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    stop = session.start(
      document,
      variables,
      lastResultSink<TResult>(
        (result) => finish(() => resolve(result)),
        (error) => finish(() => reject(error)),
      ),
    );
  });
}

/** Creates a sink that resolves with the last result when the operation completes. */
export function lastResultSink<TResult>(
  resolve: (result: TResult) => void,
  reject: (error: Error) => void,
): Sink<TResult> {
  let last: { readonly result: TResult } | null = null;
  return {
    // Waits for `complete`, because stopping earlier would send a needless `complete` to the server.
    next: (result) => (last = { result }),
    error: reject,
    complete: () => (last === null ? reject(new Error('The server sent no response.')) : resolve(last.result)),
  };
}

/** Returns the reason of an aborted signal as an error. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
