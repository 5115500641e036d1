import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Authenticator } from '../../auth/index.js';
import type { SchemaContext } from '../../schema/index.js';

/** Ends SSE streams with an error when their token expires. WebSockets are closed as a whole instead. */
export function useTokenExpiry(authenticator: Authenticator): Plugin<SchemaContext> {
  if (!authenticator.isRequired) return {};
  return {
    onSubscribe({ args }) {
      const { viewer, reauthenticate } = args.contextValue;
      if (reauthenticate !== null) return undefined;
      return {
        onSubscribeResult({ result, setResult }) {
          if (!isAsyncIterable(result)) return;
          const source = result[Symbol.asyncIterator]();
          setResult(new ExpiringStream(source, (onExpired) => authenticator.watch(viewer, onExpired)));
        },
      };
    },
  };
}

type Result = IteratorResult<ExecutionResult>;

/** Stream that can be ended from outside, also while its source yields nothing. */
class ExpiringStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #source: AsyncIterator<ExecutionResult>;
  readonly #watch: Disposable;
  #finalResult: ExecutionResult | null = null;
  #isClosed = false;
  /** Resolves the pending call of `next`. Null if none is pending. */
  #interrupt: ((result: Result) => void) | null = null;

  constructor(source: AsyncIterator<ExecutionResult>, watch: (onExpired: (reason: string) => void) => Disposable) {
    this.#source = source;
    this.#watch = watch((reason) => this.#expire(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#isClosed) return Promise.resolve(this.#takeFinalResult());
    return new Promise((resolve, reject) => {
      this.#interrupt = resolve;
      this.#source.next().then((result: Result) => {
        this.#interrupt = null;
        if (result.done === true) this.#close();
        resolve(result);
      }, reject);
    });
  }

  async return(): Promise<Result> {
    this.#finalResult = null;
    this.#close();
    await this.#source.return?.();
    return DONE;
  }

  #expire(reason: string): void {
    const error = new GraphQLError(`${reason}.`, { extensions: { code: 'UNAUTHENTICATED' } });
    this.#finalResult = { errors: [error] };
    this.#isClosed = true;
    // The result of the source is no longer needed.
    Promise.resolve(this.#source.return?.()).catch(() => undefined);
    if (this.#interrupt !== null) this.#interrupt(this.#takeFinalResult());
    this.#interrupt = null;
  }

  #takeFinalResult(): Result {
    const value = this.#finalResult;
    this.#finalResult = null;
    return value === null ? DONE : { done: false, value };
  }

  #close(): void {
    this.#isClosed = true;
    this.#watch[Symbol.dispose]();
  }
}

const DONE: Result = { done: true, value: undefined };
