import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { LimitCounters } from '../limits/limit-counters.js';
import type { Limits } from '../../config/index.js';
import { ConcurrencyLimiter } from '../limits/concurrency-limiter.js';
import type { SchemaContext } from '../../schema/index.js';
import { limitExceededError } from './operation-limits.js';

/** A stream that gives something back when it is over, in whatever way: once it has ended, failed or been left. */
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

/** How many subscriptions run at once: of each viewer, and of each WebSocket. */
export class SubscriptionLimits {
  readonly #limits: Limits;
  readonly #counters: LimitCounters;
  readonly #viewers: ConcurrencyLimiter;

  constructor(limits: Limits, counters: LimitCounters) {
    this.#limits = limits;
    this.#counters = counters;
    this.#viewers = new ConcurrencyLimiter(limits.maxSubscriptionsPerViewer);
  }

  /** Those of one WebSocket. */
  forSocket(): ConcurrencyLimiter {
    return new ConcurrencyLimiter(this.#limits.maxSubscriptionsPerSocket);
  }

  /** @returns what `begin` gives, counted until it ends, or why it is not begun */
  async run(
    socket: ConcurrencyLimiter | null,
    { contextValue }: ExecutionArgs,
    begin: () => Result | PromiseLike<Result>,
  ): Promise<Result> {
    const { clientId } = contextValue as SchemaContext; // what the context factory has made
    const lease = this.#take(socket, clientId);
    if (lease instanceof GraphQLError) return { errors: [lease] };
    try {
      const result = await begin();
      if (isAsyncIterable(result)) return new ReleasingStream(result, lease);
      lease[Symbol.dispose]();
      return result;
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  }

  #take(socket: ConcurrencyLimiter | null, clientId: string): Disposable | GraphQLError {
    const { maxSubscriptionsPerSocket, maxSubscriptionsPerViewer } = this.#limits;
    const ofSocket = socket?.acquire('') ?? null;
    if (socket !== null && ofSocket === null) {
      this.#counters.hit('maxSubscriptionsPerSocket');
      return limitExceededError(`One WebSocket runs at most ${maxSubscriptionsPerSocket} subscriptions at a time.`);
    }
    const ofViewer = this.#viewers.acquire(clientId);
    if (ofViewer === null) {
      ofSocket?.[Symbol.dispose]();
      this.#counters.hit('maxSubscriptionsPerViewer');
      return limitExceededError(`One viewer runs at most ${maxSubscriptionsPerViewer} subscriptions at a time.`);
    }
    return {
      [Symbol.dispose]() {
        ofSocket?.[Symbol.dispose]();
        ofViewer[Symbol.dispose]();
      },
    };
  }
}

/** Over SSE; WebSockets count for themselves, because shared subscriptions do not get here. */
export function useSubscriptionLimits(limits: SubscriptionLimits): Plugin<SchemaContext> {
  return {
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      if (args.contextValue.reauthenticate !== null) return;
      // envelop leaves it untyped, because the engine is a plugin's to choose
      const subscribe = subscribeFn as (args: ExecutionArgs) => Result | PromiseLike<Result>;
      setSubscribeFn((given: ExecutionArgs) => limits.run(null, given, () => subscribe(given)));
    },
  };
}
