import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import { type LimitCounters, type Limits, ConcurrencyLimiter } from '../limits/index.js';
import type { SchemaContext } from '../schema/index.js';
import { ReleasingStream } from './leased-stream.js';
import { limitExceededError } from './operation-limits.js';

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
