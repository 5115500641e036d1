import {
  BrokenCircuitError,
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
import type { CircuitBreakerStatus, Latency } from '../../model/index.js';
import {
  type CallGuard,
  type CallGuardOptions,
  type GuardedSignal,
  SessionClosedError,
  ToolCallTimeoutError,
  ToolRejectedError,
} from '../../mcp/index.js';
import { type Clock, MIN_STALL_MS, isAborted } from '../../shared/index.js';
import { abortable } from './abortable.js';
import { CircuitBreaker, type CircuitTransition } from './circuit-breaker.js';
import { BulkheadFullError, CallAbortedError, CircuitOpenError, ClientShareExceededError } from './errors.js';
import { FairBulkhead } from './fair-bulkhead.js';
import { LatencyWindow } from './latency-window.js';
import { validateGuardOptions, type GuardOptions } from './guard-options.js';

export interface GuardStatus {
  readonly breaker: CircuitBreakerStatus;
  /** Number of running calls, including those that wait between two attempts. */
  readonly inFlight: number;
  /** Number of queued calls. */
  readonly queued: number;
  /** Latency of the attempts that the server answered or rejected. */
  readonly latency: Latency;
  /** Number of attempts since the guard was created. */
  readonly calls: number;
  /** Number of failed attempts, including timeouts but not calls that the server rejected. */
  readonly failures: number;
  readonly timeouts: number;
  readonly retries: number;
  /** Number of calls that the circuit breaker or the bulkhead rejected. */
  readonly rejected: number;
}

export interface GuardedCallOptions extends CallGuardOptions {
  /** Client that the call belongs to. Null or omitted for swarmlens' own calls, which have a share of their own. */
  readonly clientId?: string | null;
}

/** Remaining time of a call. */
interface TimeBudget {
  readonly timeoutMs: number;
  /** Time on the monotonic clock. Null until the first attempt starts. */
  deadlineMs: number | null;
}

/** Bulkhead, retry, circuit breaker and timeout around all calls to one endpoint. */
export interface Guard extends CallGuard, Disposable {
  /**
   * Runs one call through bulkhead, retry, circuit breaker and timeout, from the outside in. The signal of the operation
   * aborts at the timeout or when `signal` aborts. The probe of a half-open circuit breaker ignores `signal`, because its
   * outcome decides about all other calls.
   * @throws CircuitOpenError, BulkheadFullError or ClientShareExceededError if the operation was not run
   * @throws ToolCallTimeoutError at the timeout
   * @throws the reason of `signal` as soon as it aborts, or the last error of the operation
   */
  call<T>(operation: Operation<T>, options: GuardedCallOptions): Promise<T>;
  status(): GuardStatus;
  /** Status of the circuit breaker, without the cost of `status`. */
  readonly breaker: CircuitBreakerStatus;
  /** Time in milliseconds until the circuit breaker accepts a call. 0 if it accepts one now. */
  readonly retryInMs: number;
  /** Lets the circuit breaker accept its next probe now. */
  retryNow(): void;
  latency(): Latency;
  /** Calls back after each transition of the circuit breaker. The callback must not throw. Dispose the result to stop. */
  onTransition(callback: (transition: CircuitTransition) => void): Disposable;
}

/** @throws RangeError if an option is out of range */
export function createGuard(options: GuardOptions, deps: { readonly clock: Clock }): Guard {
  validateGuardOptions(options);
  return new CockatielGuard(options, deps.clock);
}

class CockatielGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #clock: Clock;
  readonly #bulkhead: FairBulkhead;
  readonly #breaker: CircuitBreaker;
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
    this.#bulkhead = new FairBulkhead(options, () => clock.monotonic());
    this.#breaker = new CircuitBreaker(options.breakerThreshold, options.breakerBackoffMs, clock);
    this.#timeout = timeoutPolicy(options.timeoutMs);
  }

  async call<T>(operation: Operation<T>, options: GuardedCallOptions): Promise<T> {
    const { signal, idempotent, clientId = null, isHandshake = false, timeoutMs = this.#options.timeoutMs } = options;
    signal.throwIfAborted();
    const budget: TimeBudget = { timeoutMs, deadlineMs: null };
    const once = (): Promise<T> =>
      isHandshake ? this.#handshake(operation, signal, budget) : this.#once(operation, signal, budget);
    try {
      // The retry of cockatiel ignores the signal during a delay, so that `abortable` releases the slot.
      return await this.#bulkhead.execute(clientId, signal, () =>
        abortable(idempotent ? this.#retryWithin(budget).execute(once, signal) : once(), signal),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw this.#translateError(error);
    }
  }

  status(): GuardStatus {
    const { running, waiting } = this.#bulkhead;
    return {
      breaker: this.#breaker.status(),
      inFlight: running,
      queued: waiting,
      latency: this.#latency.percentiles(),
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

  get retryInMs(): number {
    return this.#breaker.retryInMs;
  }

  retryNow(): void {
    this.#breaker.retryNow();
  }

  latency(): Latency {
    return this.#latency.percentiles();
  }

  onTransition(callback: (transition: CircuitTransition) => void): Disposable {
    return this.#breaker.onTransition(callback);
  }

  [Symbol.dispose](): void {
    this.#breaker[Symbol.dispose]();
  }

  async #once<T>(operation: Operation<T>, signal: AbortSignal, budget: TimeBudget): Promise<T> {
    if (signal.aborted) throw new CallAbortedError();
    return this.#breaker.execute((isProbe) => this.#try(operation, isProbe ? null : signal, budget));
  }

  async #handshake<T>(operation: Operation<T>, signal: AbortSignal, budget: TimeBudget): Promise<T> {
    if (signal.aborted) throw new CallAbortedError();
    return this.#breaker.executeHandshake(() => this.#try(operation, signal, budget, false));
  }

  /**
   * @param caller Signal of the caller. Null for a probe, which ignores it.
   * @param isMeasured Whether the duration counts as latency.
   */
  async #try<T>(
    operation: Operation<T>,
    caller: AbortSignal | null,
    budget: TimeBudget,
    isMeasured = true,
  ): Promise<T> {
    if (caller?.aborted === true) throw new CallAbortedError();
    const startMs = this.#clock.monotonic();
    const remainingMs = this.#remainingMs(budget);
    let provided: AbortSignal | null = null;
    this.#calls += 1;
    try {
      const answer = await this.#runWithTimeout(
        (signal) => ((provided = signal), operation(signal)),
        caller,
        remainingMs,
      );
      if (isMeasured) this.#latency.add(this.#clock.monotonic() - startMs);
      return answer;
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        this.#latency.add(this.#clock.monotonic() - startMs);
        throw error;
      }
      if (isAborted(caller)) throw new CallAbortedError();
      this.#failures += 1;
      if (!isAborted(provided)) throw error;
      this.#timeouts += 1;
      throw new ToolCallTimeoutError(`no answer within ${Math.round(remainingMs)} ms`);
    }
  }

  /**
   * Runs the operation with the timeout of cockatiel. If the timer fires late, this process was stalled and an answer may
   * have arrived unread. The timeout then is extended by the delay, at most doubled.
   */
  async #runWithTimeout<T>(operation: Operation<T>, caller: AbortSignal | null, timeoutMs: number): Promise<T> {
    const controller = new AbortController();
    // The only place that makes a signal a guarded one.
    const pending = operation(controller.signal as GuardedSignal);
    let extensionMs = timeoutMs;
    for (let withinMs = timeoutMs; ; extensionMs -= withinMs) {
      const dueMs = this.#clock.monotonic() + withinMs;
      try {
        return await this.#timeoutPolicy(withinMs).execute(({ signal }) => {
          const abort = (): void => {
            if (isAborted(caller)) controller.abort(caller?.reason);
          };
          signal.addEventListener('abort', abort, { once: true });
          return pending;
        }, caller ?? undefined);
      } catch (error) {
        if (!(error instanceof TaskCancelledError) || controller.signal.aborted) throw error;
        withinMs = Math.min(extensionMs, this.#clock.monotonic() - dueMs);
        if (withinMs >= MIN_STALL_MS) continue;
        controller.abort();
        throw error;
      }
    }
  }

  /** Limits each delay to half of the remaining time, which leaves time for the next attempt. */
  #retryWithin(budget: TimeBudget): RetryPolicy {
    const { maxAttempts, retryBackoffMs } = this.#options;
    const capped = (backoff: IBackoff<unknown>): IBackoff<unknown> => ({
      duration: Math.min(backoff.duration, this.#remainingMs(budget) / 2),
      next: (context) => capped(backoff.next(context)),
    });
    const backoff = new ExponentialBackoff({ initialDelay: retryBackoffMs.initial, maxDelay: retryBackoffMs.max });
    const policy = retry(
      handleWhen((error) => isRetryable(error) && this.#remainingMs(budget) > 1),
      {
        maxAttempts: maxAttempts - 1,
        backoff: { next: () => capped(backoff.next()) },
      },
    );
    policy.onRetry(() => (this.#retries += 1));
    return policy;
  }

  /** Starts the budget at the first attempt, so that time in the queue of the bulkhead does not count. */
  #remainingMs(budget: TimeBudget): number {
    const nowMs = this.#clock.monotonic();
    budget.deadlineMs ??= nowMs + budget.timeoutMs;
    return Math.max(1, budget.deadlineMs - nowMs);
  }

  #timeoutPolicy(timeoutMs: number): TimeoutPolicy {
    return timeoutMs === this.#options.timeoutMs ? this.#timeout : timeoutPolicy(timeoutMs);
  }

  #translateError(error: unknown): unknown {
    if (error instanceof BrokenCircuitError) {
      this.#rejected += 1;
      return new CircuitOpenError(this.#breaker.retryAt);
    }
    if (error instanceof BulkheadFullError || error instanceof ClientShareExceededError) this.#rejected += 1;
    return error;
  }
}

type Operation<T> = (signal: GuardedSignal) => Promise<T>;

function timeoutPolicy(timeoutMs: number): TimeoutPolicy {
  return timeout(timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false });
}

/** Returns whether another attempt may succeed. A closed session stays closed, and a timeout has used all the time. */
function isRetryable(error: Error): boolean {
  return !(
    error instanceof CallAbortedError ||
    error instanceof BrokenCircuitError ||
    error instanceof ToolRejectedError ||
    error instanceof ToolCallTimeoutError ||
    error instanceof SessionClosedError
  );
}
