import type { TypedDocument } from './typed-document.js';
import type { GraphqlWsSession, Sink } from './connection/graphql-ws-session.js';

/**
 * One answer over one session.
 *
 * @throws OperationError the server refused it
 * @throws the reason of `signal`, which has to be aborted when the session is over
 */
export function requestOverSocket<TResult, TVariables extends Record<string, unknown>>(
  session: GraphqlWsSession,
  document: TypedDocument<TResult, TVariables>,
  variables: TVariables,
  signal: AbortSignal,
): Promise<TResult> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      stop();
      settle();
    };
    const abort = (): void => end(() => reject(abortReason(signal)));
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
        (answer) => end(() => resolve(answer)),
        (error) => end(() => reject(error)),
      ),
    );
  });
}

/** Resolves with the last result of an operation, when that has ended. */
export function lastResultSink<TResult>(
  resolve: (result: TResult) => void,
  reject: (error: Error) => void,
): Sink<TResult> {
  let last: { readonly answer: TResult } | null = null;
  return {
    // It is read to its end: to stop before would tell the server to stop, too.
    next: (answer) => (last = { answer }),
    error: reject,
    complete: () => (last === null ? reject(new Error('the server gave no answer')) : resolve(last.answer)),
  };
}

/** Of an aborted signal, as an error. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
