import type { TypedDocument } from './typed-document.js';

/** What `run` needs of a graphql-ws client, or of anything else that runs operations. */
export interface OperationExecutor {
  iterate<TResult>(payload: {
    readonly query: string;
    readonly variables?: Record<string, unknown>;
  }): AsyncIterableIterator<OperationResult<TResult>>;
}

interface OperationResult<TResult> {
  readonly data?: TResult | null | undefined;
  readonly errors?: readonly OperationErrorDetail[] | undefined;
}

/** A GraphQL error; `extensions.code` is stable. */
export interface OperationErrorDetail {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** The server refused an operation, or a part of it. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  /** As the server worded them. */
  readonly errors: readonly OperationErrorDetail[];

  constructor(faults: readonly OperationErrorDetail[]) {
    super(faults.map(({ message }) => message).join('; '));
    this.errors = faults;
  }

  /** `extensions.code` of the first error that has one. */
  get code(): string | null {
    for (const { extensions } of this.errors) {
      const code = extensions?.['code'];
      if (typeof code === 'string') return code;
    }
    return null;
  }

  /** When it may be asked again, milliseconds from then on; `null`: the server does not say. */
  get retryAfterMs(): number | null {
    for (const { extensions } of this.errors) {
      const afterMs = extensions?.['retryAfterMs'];
      if (typeof afterMs === 'number') return afterMs;
    }
    return null;
  }
}

type VariablesArgument<TVariables> =
  Record<string, never> extends TVariables ? [variables?: TVariables] : [variables: TVariables];

/**
 * Runs a typed document: one result of a query or mutation, all of a subscription. Returning from the iteration (a
 * `break` does) completes the subscription at once.
 *
 * @throws OperationError when iterating: the server answered with errors
 * @throws what the client throws when iterating: the connection is lost and not tried again
 */
export function runOperation<TResult, TVariables extends Record<string, unknown>>(
  client: OperationExecutor,
  document: TypedDocument<TResult, TVariables>,
  ...[variables]: VariablesArgument<TVariables>
): AsyncIterableIterator<TResult> {
  const results = client.iterate<TResult>({ query: document, ...(variables !== undefined && { variables }) });
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
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
      await end();
      throw new OperationError(errors ?? [{ message: 'an answer without data' }]);
    },
    return: end,
  };
}

/** graphql-ws rejects with the bare list of errors when an operation is refused as a whole. */
export function isErrorList(error: unknown): error is readonly OperationErrorDetail[] {
  return (
    Array.isArray(error) && error.every((one: unknown) => typeof one === 'object' && one !== null && 'message' in one)
  );
}
