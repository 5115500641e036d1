import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  type BulkheadPolicy,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  retry,
  type RetryPolicy,
  TaskCancelledError,
  timeout,
  type TimeoutPolicy,
  TimeoutStrategy,
} from 'cockatiel';
import type { CircuitBreakerStatus, Latency } from '../domain/index.js';
import { SessionClosedError, ToolCallTimeoutError, ToolRejectedError } from '../mcp/index.js';
import { type Clock, MIN_STALL_MS } from '../shared/index.js';
import { abortable } from './abortable.js';
import { Breaker, type GuardTransition } from './breaker.js';
import { BulkheadFullError, CallAborted, CircuitOpenError } from './errors.js';
import { LatencyWindow } from './latency-window.js';
import { checkOptions, type GuardOptions } from './options.js';

export interface GuardStatus {
  readonly breaker: CircuitBreakerStatus;
  /** Calls under way, those that pause between two tries included. */
  readonly inFlight: number;
  /** Calls that wait for those. */
  readonly queued: number;
  /** Of tries that the server answered, be it with a refusal. */
  readonly latency: Latency;
  /** Tries that were made, since the guard was. */
  readonly calls: number;
  /** Tries that failed, timeouts included; a refusal by the server is no failure. */
  readonly failures: number;
  readonly timeouts: number;
  readonly retries: number;
  /** Calls that were turned away, by the breaker or the bulkhead. */
  readonly rejected: number;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Whether asking twice does no more than asking once: only then is it asked again. */
  readonly idempotent: boolean;
  /** Of all its tries together; left out: the guard's own `timeoutMs`. Above 0. */
  readonly timeoutMs?: number;
}

/** What is left of a call's time. */
interface Budget {
  readonly timeoutMs: number;
  /** On the monotonic clock; `null` until its first try begins. */
  deadlineMs: number | null;
}

/** What stands between one MCP endpoint and everyone who calls it. All its calls share one breaker. */
export interface Guard extends Disposable {
  /**
   * Runs one call under bulkhead, retry, breaker and timeout, from the outside in. The operation's signal is aborted
   * when its time is up, or when `signal` is; only a half-open breaker's probe goes on when `signal` is aborted, since
   * its outcome decides for everyone.
   * @throws CircuitOpenError, BulkheadFullError: it was not run
   * @throws ToolCallTimeoutError: it took too long
   * @throws the signal's reason, at once, when `signal` is aborted; else what the operation threw last
   */
  call<T>(operation: Operation<T>, options: CallOptions): Promise<T>;
  status(): GuardStatus;
  /** What `status` says of the breaker and of latencies, for less. */
  readonly breaker: CircuitBreakerStatus;
  latency(): Latency;
  /** Calls back at each change of the breaker's state, in order; must not throw. Dispose to stop. */
  onTransition(callback: (transition: GuardTransition) => void): Disposable;
}

/** @throws RangeError naming the option that is out of its range */
export function createGuard(options: GuardOptions, deps: { readonly clock: Clock }): Guard {
  checkOptions(options);
  return new PolicyGuard(options, deps.clock);
}

class PolicyGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #clock: Clock;
  readonly #bulkhead: BulkheadPolicy;
  readonly #breaker: Breaker;
  readonly #timeout: TimeoutPolicy;
  readonly #latency: LatencyWindow;
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
    this.#breaker = new Breaker(options.breakerThreshold, options.breakerBackoffMs, clock);
    this.#timeout = timeoutPolicy(options.timeoutMs);
  }

  async call<T>(operation: Operation<T>, options: CallOptions): Promise<T> {
    const { signal, idempotent, timeoutMs = this.#options.timeoutMs } = options;
    signal.throwIfAborted();
    const budget: Budget = { timeoutMs, deadlineMs: null };
    const once = (): Promise<T> => this.#once(operation, signal, budget);
    // cockatiel's bulkhead is not told of the signal: a queued call that it finds aborted stops its queue. Its retry
    // does not heed the signal while it pauses: the slot is given back without waiting for that.
    const result = this.#bulkhead.execute(() =>
      abortable(idempotent ? this.#retryWithin(budget).execute(once, signal) : once(), signal),
    );
    try {
      return await abortable(result, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#translated(error);
    }
  }

  status(): GuardStatus {
    const { executionSlots, queueSlots } = this.#bulkhead;
    return {
      breaker: this.#breaker.status(),
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

  get breaker(): CircuitBreakerStatus {
    return this.#breaker.status();
  }

  latency(): Latency {
    return this.#latency.read();
  }

  onTransition(callback: (transition: GuardTransition) => void): Disposable {
    return this.#breaker.onTransition(callback);
  }

  [Symbol.dispose](): void {
    this.#breaker[Symbol.dispose]();
  }

  async #once<T>(operation: Operation<T>, signal: AbortSignal, budget: Budget): Promise<T> {
    if (signal.aborted) throw new CallAborted();
    return this.#breaker.execute((isProbe) => this.#try(operation, isProbe ? null : signal, budget));
  }

  /** @param caller `null`: nobody's giving up ends it */
  async #try<T>(operation: Operation<T>, caller: AbortSignal | null, budget: Budget): Promise<T> {
    if (caller?.aborted === true) throw new CallAborted();
    const startMs = this.#clock.monotonic();
    const leftMs = this.#leftMs(budget);
    let given: AbortSignal | null = null;
    this.#calls += 1;
    try {
      const answer = await this.#inTime((signal) => ((given = signal), operation(signal)), caller, leftMs);
      this.#latency.add(this.#clock.monotonic() - startMs);
      return answer;
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        this.#latency.add(this.#clock.monotonic() - startMs);
        throw error;
      }
      if (isAborted(caller)) throw new CallAborted();
      this.#failures += 1;
      if (!isAborted(given)) throw error;
      this.#timeouts += 1;
      throw new ToolCallTimeoutError(`no answer within ${Math.round(leftMs)} ms`);
    }
  }

  /**
   * Runs the operation under cockatiel's timeout. A timeout that fires late shows that this process was stalled: it is
   * extended by that delay, at most doubled, so that an answer that has arrived is read first.
   */
  async #inTime<T>(operation: Operation<T>, caller: AbortSignal | null, timeoutMs: number): Promise<T> {
    const ending = new AbortController();
    const pending = operation(ending.signal);
    let leftMs = timeoutMs;
    for (let withinMs = timeoutMs; ; leftMs -= withinMs) {
      const dueMs = this.#clock.monotonic() + withinMs;
      try {
        return await this.#within(withinMs).execute(({ signal }) => {
          const abort = (): void => {
            if (isAborted(caller)) ending.abort(caller?.reason);
          };
          signal.addEventListener('abort', abort, { once: true });
          return pending;
        }, caller ?? undefined);
      } catch (error) {
        if (!(error instanceof TaskCancelledError) || ending.signal.aborted) throw error;
        withinMs = Math.min(leftMs, this.#clock.monotonic() - dueMs);
        if (withinMs >= MIN_STALL_MS) continue;
        ending.abort();
        throw error;
      }
    }
  }

  /** Pauses take at most half of what is left of the time, so that there is some for the next try. */
  #retryWithin(budget: Budget): RetryPolicy {
    const { maxAttempts, retryBackoffMs } = this.#options;
    const capped = (backoff: IBackoff<unknown>): IBackoff<unknown> => ({
      duration: Math.min(backoff.duration, this.#leftMs(budget) / 2),
      next: (context) => capped(backoff.next(context)),
    });
    const backoff = new ExponentialBackoff({ initialDelay: retryBackoffMs.initial, maxDelay: retryBackoffMs.max });
    const policy = retry(
      handleWhen((error) => isWorthRepeating(error) && this.#leftMs(budget) > 1),
      {
        maxAttempts: maxAttempts - 1,
        backoff: { next: () => capped(backoff.next()) },
      },
    );
    policy.onRetry(() => (this.#retries += 1));
    return policy;
  }

  /** Waiting for the bulkhead does not count: a server that takes one call at a time is not slow for that. */
  #leftMs(budget: Budget): number {
    const nowMs = this.#clock.monotonic();
    budget.deadlineMs ??= nowMs + budget.timeoutMs;
    return Math.max(1, budget.deadlineMs - nowMs);
  }

  #within(timeoutMs: number): TimeoutPolicy {
    return timeoutMs === this.#options.timeoutMs ? this.#timeout : timeoutPolicy(timeoutMs);
  }

  #translated(error: unknown): unknown {
    if (error instanceof BrokenCircuitError) {
      this.#rejected += 1;
      return new CircuitOpenError(this.#breaker.retryAt);
    }
    if (error instanceof BulkheadRejectedError) {
      this.#rejected += 1;
      return new BulkheadFullError();
    }
    return error;
  }
}

type Operation<T> = (signal: AbortSignal) => Promise<T>;

function timeoutPolicy(timeoutMs: number): TimeoutPolicy {
  return timeout(timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
}

/** A session that has ended stays so: the next call is for the next session. A try that timed out had all the time. */
function isWorthRepeating(error: Error): boolean {
  return !(
    error instanceof CallAborted ||
    error instanceof BrokenCircuitError ||
    error instanceof ToolRejectedError ||
    error instanceof ToolCallTimeoutError ||
    error instanceof SessionClosedError
  );
}

/** A function, because the compiler takes an earlier look at the signal for good. */
function isAborted(signal: AbortSignal | null): boolean {
  return signal?.aborted === true;
}
