import type { TypedDocument } from './typed-document.js';

/** Part of a graphql-ws client that `runOperation` uses. */
export interface OperationExecutor {
  iterate<TResult>(payload: {
    readonly query: string;
    readonly variables?: Record<string, unknown>;
  }): AsyncIterableIterator<OperationResult<TResult>>;
}

/** Result of one operation, or one event of a subscription. */
export interface OperationResult<TResult> {
  readonly data?: TResult | null | undefined;
  readonly errors?: readonly OperationErrorDetail[] | undefined;
}

/** GraphQL error. Its `extensions.code` is stable. */
export interface OperationErrorDetail {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** Error of an operation that the server rejected, in whole or in part. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  /** GraphQL errors of the response. */
  readonly errors: readonly OperationErrorDetail[];

  constructor(errors: readonly OperationErrorDetail[]) {
    super(errors.map(({ message }) => message).join('; '));
    this.errors = errors;
  }

  /** First `extensions.code` of the errors. Null if no error has one. */
  get code(): string | null {
    for (const { extensions } of this.errors) {
      const code = extensions?.['code'];
      if (typeof code === 'string') return code;
    }
    return null;
  }

  /** Time in milliseconds after which the operation can be retried. Null if the server does not report it. */
  get retryAfterMs(): number | null {
    for (const { extensions } of this.errors) {
      const afterMs = extensions?.['retryAfterMs'];
      if (typeof afterMs === 'number') return afterMs;
    }
    return null;
  }
}

/** Variables of one operation. Optional if the document requires none. */
export type VariablesArgument<TVariables> =
  Record<string, never> extends TVariables ? [variables?: TVariables] : [variables: TVariables];

/**
 * Runs a typed document with any graphql-ws client. Yields one result for a query or mutation, and every event of a
 * subscription. Leaving the loop completes the subscription.
 *
 * @throws OperationError while iterating, if the server responds with errors
 * @throws the error of the graphql-ws client while iterating, if its connection is lost and not retried
 */
export function runOperation<TResult, TVariables extends Record<string, unknown>>(
  client: OperationExecutor,
  document: TypedDocument<TResult, TVariables>,
  ...[variables]: VariablesArgument<TVariables>
): AsyncIterableIterator<TResult> {
  const results = client.iterate<TResult>({ query: document, ...(variables !== undefined && { variables }) });
  const close = async (): Promise<IteratorReturnResult<undefined>> => {
    await results.return?.();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await results.next().catch((error: unknown) => {
        throw isErrorList(error) ? new OperationError(error) : error;
      });
      if (result.done === true) return { done: true, value: undefined };
      const { data, errors } = result.value;
      if (errors === undefined && data != null) return { done: false, value: data };
      await close();
      throw new OperationError(errors ?? [{ message: 'The response has no data.' }]);
    },
    return: close,
  };
}

/** Recognizes the bare list of errors with which graphql-ws rejects an operation. */
export function isErrorList(error: unknown): error is readonly OperationErrorDetail[] {
  return (
    Array.isArray(error) &&
    error.every((entry: unknown) => typeof entry === 'object' && entry !== null && 'message' in entry)
  );
}
