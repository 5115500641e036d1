import { type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Authenticator } from '../../auth/index.js';
import type { SchemaContext } from '../../schema/index.js';

/** Ends streams over SSE when their token does, with a last word that says so. WebSockets are closed as a whole. */
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
          setResult(new ExpiringStream(source, (onEnd) => authenticator.watch(viewer, onEnd)));
        },
      };
    },
  };
}

type Result = IteratorResult<ExecutionResult>;

/** A stream that is ended from outside, also while nothing comes from its source. */
class ExpiringStream implements AsyncIterableIterator<ExecutionResult> {
  readonly #source: AsyncIterator<ExecutionResult>;
  readonly #watch: Disposable;
  #lastWord: ExecutionResult | null = null;
  #isOver = false;
  /** Of whoever waits for the next result. */
  #interrupt: ((result: Result) => void) | null = null;

  constructor(source: AsyncIterator<ExecutionResult>, watch: (onEnd: (reason: string) => void) => Disposable) {
    this.#source = source;
    this.#watch = watch((reason) => this.#end(reason));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#isOver) return Promise.resolve(this.#last());
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
    this.#lastWord = null;
    this.#close();
    await this.#source.return?.();
    return END;
  }

  #end(reason: string): void {
    const error = new GraphQLError(`${reason}.`, { extensions: { code: 'UNAUTHENTICATED' } });
    this.#lastWord = { errors: [error] };
    this.#isOver = true;
    // Nobody waits for what it may have had left to say.
    Promise.resolve(this.#source.return?.()).catch(() => undefined);
    if (this.#interrupt !== null) this.#interrupt(this.#last());
    this.#interrupt = null;
  }

  #last(): Result {
    const value = this.#lastWord;
    this.#lastWord = null;
    return value === null ? END : { done: false, value };
  }

  #close(): void {
    this.#isOver = true;
    this.#watch[Symbol.dispose]();
  }
}

const END: Result = { done: true, value: undefined };
