import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  type BulkheadPolicy,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState as PolicyState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import type { CircuitBreakerStatus, CircuitState, Latency } from '../domain/index.js';
import { ToolCallTimeoutError, ToolRejectedError } from '../mcp/index.js';
import { type Clock, Listeners, messageOf } from '../shared/index.js';
import { BulkheadFullError, CircuitOpenError } from './errors.js';
import { LatencyWindow } from './latency-window.js';

export interface GuardOptions {
  /** Of one try. */
  readonly timeoutMs: number;
  /** Tries of an idempotent call, the first included. */
  readonly maxAttempts: number;
  /** Between tries; doubles, jittered. */
  readonly retryBackoffMs: Backoff;
  /** Failures in a row that open the breaker. */
  readonly breakerThreshold: number;
  /** From the opening of the breaker to its next probe; doubles with each probe that fails. */
  readonly breakerBackoffMs: Backoff;
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly latencyWindowMs: number;
  readonly maxLatencySamples: number;
}

export interface Backoff {
  readonly initial: number;
  readonly max: number;
}

export const GUARD_DEFAULTS: GuardOptions = {
  timeoutMs: 3_000,
  maxAttempts: 2,
  retryBackoffMs: { initial: 50, max: 1_000 },
  breakerThreshold: 5,
  breakerBackoffMs: { initial: 1_000, max: 30_000 },
  maxConcurrent: 4,
  maxQueued: 64,
  latencyWindowMs: 60_000,
  maxLatencySamples: 4_096,
};

export interface GuardStatus {
  readonly breaker: CircuitBreakerStatus;
  readonly inFlight: number;
  readonly queued: number;
  readonly latency: Latency;
  /** Tries that were made, since the guard was. */
  readonly calls: number;
  /** Tries that failed, timeouts included; a refusal by the server is no failure. */
  readonly failures: number;
  readonly timeouts: number;
  readonly retries: number;
  /** Calls that were not made, because of the breaker or the bulkhead. */
  readonly rejected: number;
}

export interface GuardTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: string | null;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Whether asking twice does no more than asking once: only then is it asked again. */
  readonly idempotent: boolean;
}

/** What stands between one MCP endpoint and everyone who calls it. All its calls share one breaker. */
export interface Guard extends Disposable {
  /**
   * Runs one call under bulkhead, retry, breaker and timeout, from the outside in. The operation's signal is aborted
   * when its time is up or `signal` is.
   * @throws CircuitOpenError, BulkheadFullError: it was not run
   * @throws ToolCallTimeoutError: it took too long
   * @throws the signal's reason when `signal` was aborted, else what the operation threw last
   */
  call<T>(operation: (signal: AbortSignal) => Promise<T>, options: CallOptions): Promise<T>;
  status(): GuardStatus;
  /** Calls back at each change of the breaker's state, in order; dispose to stop. */
  onTransition(callback: (transition: GuardTransition) => void): Disposable;
}

export function createGuard(options: GuardOptions, deps: { readonly clock: Clock }): Guard {
  return new PolicyGuard(options, deps.clock);
}

const STATES: Readonly<Record<PolicyState, CircuitState>> = {
  [PolicyState.Closed]: 'CLOSED',
  [PolicyState.Open]: 'OPEN',
  [PolicyState.HalfOpen]: 'HALF_OPEN',
  // Nobody isolates it; a breaker that were isolated would let nothing pass.
  [PolicyState.Isolated]: 'OPEN',
};

class PolicyGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #clock: Clock;
  readonly #bulkhead: BulkheadPolicy;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #once: IPolicy;
  readonly #again: IPolicy;
  readonly #latency: LatencyWindow;
  readonly #transitions = new Listeners<GuardTransition>();
  readonly #subscriptions: { dispose(): void }[] = [];
  #state: CircuitState = 'CLOSED';
  #consecutiveFailures = 0;
  #openings = 0;
  #openedAt: number | null = null;
  #retryAt: number | null = null;
  #lastFailure: string | null = null;
  #calls = 0;
  #failures = 0;
  #timeouts = 0;
  #retries = 0;
  #rejected = 0;

  constructor(options: GuardOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#latency = new LatencyWindow(clock, options.latencyWindowMs, options.maxLatencySamples);
    this.#bulkhead = bulkhead(options.maxConcurrent, options.maxQueued);
    const failures = handleWhen(isFailure);
    this.#breaker = circuitBreaker(failures, {
      breaker: new ConsecutiveBreaker(options.breakerThreshold),
      halfOpenAfter: { next: (context) => this.#pause(context.attempt) },
    });
    const attempts = retry(failures, {
      maxAttempts: Math.max(0, options.maxAttempts - 1),
      backoff: new ExponentialBackoff({
        initialDelay: options.retryBackoffMs.initial,
        maxDelay: options.retryBackoffMs.max,
      }),
    });
    const patience = timeout(options.timeoutMs, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false });
    this.#once = wrap(this.#bulkhead, this.#breaker, patience);
    this.#again = wrap(this.#bulkhead, attempts, this.#breaker, patience);
    // A wrapped policy hands on only the events of its outermost part: each is listened to by itself.
    this.#subscriptions.push(
      this.#breaker.onStateChange((state) => this.#moved(STATES[state])),
      attempts.onRetry(() => (this.#retries += 1)),
      patience.onTimeout(() => (this.#timeouts += 1)),
    );
  }

  async call<T>(operation: (signal: AbortSignal) => Promise<T>, { signal, idempotent }: CallOptions): Promise<T> {
    signal.throwIfAborted();
    const policy = idempotent ? this.#again : this.#once;
    const result = policy.execute((context) => this.#try(operation, context.signal, signal), signal);
    try {
      // A policy looks at the signal only between its steps; whoever calls need not wait for that.
      return await abortable(result, signal);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  status(): GuardStatus {
    const { executionSlots, queueSlots } = this.#bulkhead;
    return {
      breaker: {
        state: this.#state,
        consecutiveFailures: this.#consecutiveFailures,
        openedAt: isoOf(this.#openedAt),
        retryAt: this.#state === 'OPEN' ? isoOf(this.#retryAt) : null,
      },
      inFlight: this.#options.maxConcurrent - executionSlots,
      queued: this.#options.maxQueued - queueSlots,
      latency: this.#latency.read(),
      calls: this.#calls,
      failures: this.#failures,
      timeouts: this.#timeouts,
      retries: this.#retries,
      rejected: this.#rejected,
    };
  }

  onTransition(callback: (transition: GuardTransition) => void): Disposable {
    return this.#transitions.add(callback);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
  }

  async #try<T>(operation: (signal: AbortSignal) => Promise<T>, guarded: AbortSignal, outer: AbortSignal): Promise<T> {
    throwIfGivenUp(outer);
    const startMs = this.#clock.monotonic();
    this.#calls += 1;
    try {
      // The operation may not heed its signal: the time limit counts all the same.
      const result = await abortable(operation(guarded), guarded);
      this.#answered(startMs);
      return result;
    } catch (error) {
      throwIfGivenUp(outer);
      if (error instanceof ToolRejectedError) {
        this.#answered(startMs);
        throw error;
      }
      const failure = guarded.aborted
        ? new ToolCallTimeoutError(`no answer within ${this.#options.timeoutMs} ms`)
        : error;
      this.#failed(failure);
      throw failure;
    }
  }

  #answered(startMs: number): void {
    this.#latency.add(this.#clock.monotonic() - startMs);
    this.#consecutiveFailures = 0;
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    this.#consecutiveFailures += 1;
    this.#lastFailure = messageOf(error);
  }

  /** How long the breaker stays open after having opened for the nth time in a row. */
  #pause(attempt: number): Pause {
    const { initial, max } = this.#options.breakerBackoffMs;
    return { duration: Math.min(max, initial * 2 ** (attempt - 1)), next: (context) => this.#pause(context.attempt) };
  }

  #moved(to: CircuitState): void {
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    const at = this.#clock.now();
    if (to === 'OPEN') {
      this.#openings = from === 'HALF_OPEN' ? this.#openings + 1 : 1;
      this.#openedAt = at;
      this.#retryAt = at + this.#pause(this.#openings).duration;
    } else if (to === 'CLOSED') {
      this.#openedAt = null;
      this.#retryAt = null;
    }
    this.#transitions.emit({ from, to, at, reason: to === 'OPEN' ? this.#lastFailure : null });
  }

  #translated(error: unknown): unknown {
    if (error instanceof BrokenCircuitError) {
      this.#rejected += 1;
      return new CircuitOpenError(this.#state === 'OPEN' ? this.#retryAt : null);
    }
    if (error instanceof BulkheadRejectedError) {
      this.#rejected += 1;
      return new BulkheadFullError();
    }
    return error instanceof CallAborted ? error.reason : error;
  }
}

interface Pause {
  readonly duration: number;
  next(context: { attempt: number }): Pause;
}

/** The caller has given up: neither a failure of the server nor a success. */
class CallAborted extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('the caller has given up');
    this.reason = reason;
  }
}

function throwIfGivenUp(signal: AbortSignal): void {
  if (signal.aborted) throw new CallAborted(signal.reason);
}

/** Whether an error says that the server is not well. One that refuses a call is. */
function isFailure(error: Error): boolean {
  return !(
    error instanceof ToolRejectedError ||
    error instanceof CallAborted ||
    error instanceof BrokenCircuitError ||
    error instanceof BulkheadRejectedError
  );
}

/** Rejects as soon as the signal is aborted, without leaving a listener or an unhandled rejection behind. */
async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
