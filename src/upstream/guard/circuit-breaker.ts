import {
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
import { type Clock, Emitter, errorMessage } from '../../shared/index.js';
import { CallAbortedError } from './errors.js';
import type { BackoffRange } from './guard-options.js';

export interface CircuitTransition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The failure that opened the breaker; `null` for other transitions. */
  readonly reason: string | null;
}

const STATES: Readonly<Record<PolicyState, CircuitState>> = {
  [PolicyState.Closed]: 'CLOSED',
  [PolicyState.Open]: 'OPEN',
  [PolicyState.HalfOpen]: 'HALF_OPEN',
  // Nobody isolates it. One that were isolated would let nothing pass.
  [PolicyState.Isolated]: 'OPEN',
};

type Outcome<T> = { readonly answer: T } | { readonly refusal: ToolRejectedError };

/** cockatiel's breaker, with its state in the open. */
export class CircuitBreaker implements Disposable {
  readonly #clock: Clock;
  readonly #failuresInARow: ConsecutiveBreaker;
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
    this.#failuresInARow = new ConsecutiveBreaker(threshold);
    const backoff = new ExponentialBackoff({
      generator: noJitterGenerator,
      initialDelay: backoffMs.initial,
      maxDelay: backoffMs.max,
    });
    this.#policy = circuitBreaker(
      handleWhen((error) => !(error instanceof CallAbortedError)),
      { breaker: this.#failuresInARow, halfOpenAfter: { next: () => this.#noted(backoff.next()) } },
    );
    this.#subscriptions = [this.#policy.onStateChange((state) => this.#moved(STATES[state]))];
  }

  /**
   * Runs `run` when the breaker lets it. A refusal by the server counts as an answer. While a probe is under way others
   * wait for its outcome.
   * @param run `isProbe`: the breaker waits for its outcome, so it must end by itself, whoever has lost interest
   * @throws BrokenCircuitError the breaker is open
   */
  async execute<T>(run: (isProbe: boolean) => Promise<T>): Promise<T> {
    const outcome = await this.#policy.execute(async (): Promise<Outcome<T>> => {
      try {
        // cockatiel enters the half-open state only after having called this.
        return { answer: await run(this.#policy.state !== PolicyState.Closed) };
      } catch (error) {
        // For cockatiel an error that it need not handle does not end a row of failures.
        if (error instanceof ToolRejectedError) return { refusal: error };
        if (!(error instanceof CallAbortedError)) this.#lastFailure = errorMessage(error);
        throw error;
      }
    });
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome.answer;
  }

  /**
   * When the next probe will be let through, milliseconds since the epoch as the clock now has it; `null` unless the
   * breaker is open.
   */
  get retryAt(): number | null {
    return this.#state === 'OPEN' ? this.#clock.now() + this.#remainingMs() : null;
  }

  status(): CircuitBreakerStatus {
    return {
      state: this.#state,
      consecutiveFailures: this.#failuresInARow.state,
      openedAt: isoOf(this.#openedAt),
      retryAt: isoOf(this.retryAt),
    };
  }

  onTransition(callback: (transition: CircuitTransition) => void): Disposable {
    return this.#transitions.add(callback);
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Of its pause; 0 or less: it is over. */
  #remainingMs(): number {
    return this.#openedAtMs + this.#pauseMs - this.#clock.monotonic();
  }

  /**
   * Records each pause, because cockatiel does not expose it. cockatiel measures a pause by the wall clock, which may be
   * set while the breaker is open. The duration therefore is the wall-clock time that has passed plus the time that
   * remains by the monotonic clock, and cockatiel reads it on every call.
   */
  #noted(backoff: IBackoff<unknown>): IBackoff<unknown> {
    this.#pauseMs = backoff.duration;
    const duration = (): number => Date.now() - this.#openedAtWallMs + this.#remainingMs();
    return {
      get duration() {
        return duration();
      },
      next: (context) => this.#noted(backoff.next(context)),
    };
  }

  #moved(to: CircuitState): void {
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

function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}
