import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import { ConcurrencyLimiter } from '../limits/concurrency-limiter.js';
import type { SchemaContext } from '../../schema/index.js';
import { limitExceededError } from './operation-limits.js';

/** Stream that releases a lease when it ends, fails or is closed by its reader. */
export class ReleasingStream<T extends ExecutionResult> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #lease: Disposable;

  constructor(source: AsyncIterable<T>, lease: Disposable) {
    this.#source = source[Symbol.asyncIterator]();
    this.#lease = lease;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#source.next();
      if (result.done === true) this.#lease[Symbol.dispose]();
      return result;
    } catch (error) {
      this.#lease[Symbol.dispose]();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#lease[Symbol.dispose]();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}

type Result = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Limits concurrent subscriptions per viewer and per WebSocket. */
export class SubscriptionLimits {
  readonly #limits: Limits;
  readonly #counters: LimitCounters;
  readonly #viewers: ConcurrencyLimiter;

  constructor(limits: Limits, counters: LimitCounters) {
    this.#limits = limits;
    this.#counters = counters;
    this.#viewers = new ConcurrencyLimiter(limits.maxSubscriptionsPerViewer);
  }

  /** Creates the limiter of one WebSocket. */
  forSocket(): ConcurrencyLimiter {
    return new ConcurrencyLimiter(this.#limits.maxSubscriptionsPerSocket);
  }

  /** Starts a subscription and counts it until it ends. @returns its result, or an error if a limit is reached */
  async run(
    socket: ConcurrencyLimiter | null,
    { contextValue }: ExecutionArgs,
    start: () => Result | PromiseLike<Result>,
  ): Promise<Result> {
    const { clientId } = contextValue as SchemaContext; // created by the context factory
    const lease = this.#acquire(socket, clientId);
    if (lease instanceof GraphQLError) return { errors: [lease] };
    try {
      const result = await start();
      if (isAsyncIterable(result)) return new ReleasingStream(result, lease);
      lease[Symbol.dispose]();
      return result;
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  }

  #acquire(socket: ConcurrencyLimiter | null, clientId: string): Disposable | GraphQLError {
    const { maxSubscriptionsPerSocket, maxSubscriptionsPerViewer } = this.#limits;
    const ofSocket = socket?.acquire('') ?? null;
    if (socket !== null && ofSocket === null) {
      this.#counters.hit('maxSubscriptionsPerSocket');
      return limitExceededError(
        `At most ${maxSubscriptionsPerSocket} subscriptions may run at a time on one WebSocket.`,
      );
    }
    const ofViewer = this.#viewers.acquire(clientId);
    if (ofViewer === null) {
      ofSocket?.[Symbol.dispose]();
      this.#counters.hit('maxSubscriptionsPerViewer');
      return limitExceededError(`At most ${maxSubscriptionsPerViewer} subscriptions may run at a time for one viewer.`);
    }
    return {
      [Symbol.dispose]() {
        ofSocket?.[Symbol.dispose]();
        ofViewer[Symbol.dispose]();
      },
    };
  }
}

/** Limits subscriptions over SSE. WebSockets call `run` themselves, because shared subscriptions bypass this plugin. */
export function useSubscriptionLimits(limits: SubscriptionLimits): Plugin<SchemaContext> {
  return {
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      if (args.contextValue.reauthenticate !== null) return;
      // Envelop types the function `any`, because plugins may replace graphql.
      const subscribe = subscribeFn as (args: ExecutionArgs) => Result | PromiseLike<Result>;
      setSubscribeFn((executionArgs: ExecutionArgs) => limits.run(null, executionArgs, () => subscribe(executionArgs)));
    },
  };
}
