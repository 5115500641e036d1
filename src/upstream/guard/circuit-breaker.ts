import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState as PolicyState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  type IBackoff,
  noJitterGenerator,
} from 'cockatiel';
import type { CircuitBreakerStatus, CircuitState } from '../../model/index.js';
import { ToolRejectedError } from '../../mcp/index.js';
import { type Clock, Emitter, errorMessage, toTimestamp } from '../../shared/index.js';
import { CallAbortedError } from './errors.js';
import type { BackoffRange } from './guard-options.js';

export interface CircuitTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Time of the transition, in milliseconds since the epoch. */
  readonly at: number;
  /** Failure that opened the circuit breaker. Null for other transitions. */
  readonly reason: string | null;
}

const STATES: Readonly<Record<PolicyState, CircuitState>> = {
  [PolicyState.Closed]: 'CLOSED',
  [PolicyState.Open]: 'OPEN',
  [PolicyState.HalfOpen]: 'HALF_OPEN',
  // Never used by this project; an isolated circuit breaker rejects all calls.
  [PolicyState.Isolated]: 'OPEN',
};

type Outcome<T> = { readonly answer: T } | { readonly rejection: ToolRejectedError };

/** Wraps the circuit breaker of cockatiel and exposes its state. */
export class CircuitBreaker implements Disposable {
  readonly #clock: Clock;
  readonly #consecutiveFailures: ConsecutiveBreaker;
  readonly #policy: CircuitBreakerPolicy;
  readonly #subscriptions: readonly { dispose(): void }[];
  readonly #transitions = new Emitter<CircuitTransition>();
  #state: CircuitState = 'CLOSED';
  #pauseMs = 0;
  #openedAt: number | null = null;
  /** Time of the last opening, on the monotonic clock. */
  #openedAtMs = 0;
  /** Time of the last opening on the clock that cockatiel reads, which is not the injected one. */
  #openedAtWallMs = 0;
  #lastFailure: string | null = null;

  constructor(threshold: number, backoffMs: BackoffRange, clock: Clock) {
    this.#clock = clock;
    this.#consecutiveFailures = new ConsecutiveBreaker(threshold);
    const backoff = new ExponentialBackoff({
      generator: noJitterGenerator,
      initialDelay: backoffMs.initial,
      maxDelay: backoffMs.max,
    });
    this.#policy = circuitBreaker(
      handleWhen((error) => !(error instanceof CallAbortedError)),
      { breaker: this.#consecutiveFailures, halfOpenAfter: { next: () => this.#recordPause(backoff.next()) } },
    );
    this.#subscriptions = [this.#policy.onStateChange((state) => this.#handleTransition(STATES[state]))];
  }

  /**
   * Runs `run` unless the circuit breaker is open. A call that the server rejects counts as answered. While a probe runs,
   * other calls wait for its outcome.
   * @param run Must end by itself if `isProbe` is set, because the circuit breaker waits for its outcome.
   * @throws BrokenCircuitError if the circuit breaker is open
   */
  async execute<T>(run: (isProbe: boolean) => Promise<T>): Promise<T> {
    const outcome = await this.#policy.execute(async (): Promise<Outcome<T>> => {
      try {
        // cockatiel enters the half-open state after it has called this function.
        return { answer: await run(this.#policy.state !== PolicyState.Closed) };
      } catch (error) {
        // An error that cockatiel does not handle would not reset the count of failures.
        if (error instanceof ToolRejectedError) return { rejection: error };
        if (!(error instanceof CallAbortedError)) this.#lastFailure = errorMessage(error);
        throw error;
      }
    });
    if ('rejection' in outcome) throw outcome.rejection;
    return outcome.answer;
  }

  /**
   * Runs a call that opens a session. Its failure counts, but its success does not, because a server that answers no call
   * may complete every handshake.
   * @throws BrokenCircuitError if the circuit breaker is open
   */
  async executeHandshake<T>(run: () => Promise<T>): Promise<T> {
    if (this.retryInMs > 0) throw new BrokenCircuitError();
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof CallAbortedError)) await this.#recordFailure(error);
      throw error;
    }
  }

  async #recordFailure(error: unknown): Promise<void> {
    const fail = (): Promise<never> => {
      throw error;
    };
    await this.execute(fail).catch(() => undefined);
  }

  /** Time in milliseconds until a call is accepted. 0 if one is accepted now. */
  get retryInMs(): number {
    return this.#state === 'OPEN' ? Math.max(0, this.#remainingMs()) : 0;
  }

  /** Accepts the next probe now. */
  retryNow(): void {
    this.#pauseMs = 0;
  }

  /** Time of the next probe, in milliseconds since the epoch. Null unless the circuit breaker is open. */
  get retryAt(): number | null {
    return this.#state === 'OPEN' ? this.#clock.now() + this.#remainingMs() : null;
  }

  status(): CircuitBreakerStatus {
    return {
      state: this.#state,
      consecutiveFailures: this.#consecutiveFailures.state,
      openedAt: toTimestamp(this.#openedAt),
      retryAt: toTimestamp(this.retryAt),
    };
  }

  onTransition(callback: (transition: CircuitTransition) => void): Disposable {
    return this.#transitions.add(callback);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Returns the time in milliseconds until the next probe; 0 or less if it is due. */
  #remainingMs(): number {
    return this.#openedAtMs + this.#pauseMs - this.#clock.monotonic();
  }

  /**
   * Records each pause, because cockatiel does not expose it. cockatiel measures a pause by the wall clock, which may be
   * set while the breaker is open. The duration therefore is the wall-clock time that has passed plus the time that
   * remains by the monotonic clock, and cockatiel reads it on every call.
   */
  #recordPause(backoff: IBackoff<unknown>): IBackoff<unknown> {
    this.#pauseMs = backoff.duration;
    const duration = (): number => Date.now() - this.#openedAtWallMs + this.#remainingMs();
    return {
      get duration() {
        return duration();
      },
      next: (context) => this.#recordPause(backoff.next(context)),
    };
  }

  #handleTransition(to: CircuitState): void {
    const from = this.#state;
    const at = this.#clock.now();
    this.#state = to;
    if (to === 'OPEN') {
      this.#openedAt = at;
      this.#openedAtMs = this.#clock.monotonic();
      this.#openedAtWallMs = Date.now();
    } else if (to === 'CLOSED') {
      this.#openedAt = null;
    }
    this.#transitions.emit({ from, to, at, reason: to === 'OPEN' ? this.#lastFailure : null });
  }
}
