import { ToolCallTimeoutError } from '../../mcp/index.js';
import type { CircuitBreakerStatus } from '../../model/index.js';
import { type Clock, WakeSignal } from '../../shared/index.js';

/** Factor on the heartbeat before a probe. Regular polls are due after one heartbeat, and timers are late. */
const HEARTBEAT_TOLERANCE = 1.1;

/** Minimum time in milliseconds between two probes, whatever the circuit breaker reports. */
const MIN_INTERVAL_MS = 100;

/** Input for the due time of the next probe. Times that end in `Ms` are on the monotonic clock. */
export interface ProbeInput {
  readonly breaker: CircuitBreakerStatus;
  /** Current time in milliseconds since the epoch. */
  readonly now: number;
  readonly nowMs: number;
  /** Time of the last answer or call. */
  readonly idleSinceMs: number;
  readonly probedAtMs: number;
  /** End of the pause that the server requested. */
  readonly pausedUntilMs: number;
  readonly heartbeatMs: number;
  /** Whether the endpoint has never been called although it must be known whether it answers. */
  readonly isUnproven: boolean;
}

/** Returns the time in milliseconds until the next probe; 0 or less if it is due. */
export function probeDueInMs(input: ProbeInput): number {
  const { breaker, now, nowMs, idleSinceMs, heartbeatMs } = input;
  // A half-open circuit breaker waits for a probe that is already running.
  if (breaker.state === 'HALF_OPEN') return heartbeatMs;
  const earliestMs = Math.max(input.pausedUntilMs, input.probedAtMs + MIN_INTERVAL_MS);
  return Math.max(earliestMs, dueMs()) - nowMs;

  function dueMs(): number {
    if (breaker.state === 'OPEN') return nowMs + (breaker.retryAt === null ? 0 : Date.parse(breaker.retryAt) - now);
    if (input.isUnproven && breaker.consecutiveFailures === 0) return nowMs;
    return idleSinceMs + heartbeatMs * HEARTBEAT_TOLERANCE;
  }
}

/** Operations of the endpoint that a prober uses. */
export interface ProbeTarget {
  /** Returns the time in milliseconds until the next probe; 0 or less if it is due. */
  probeDueInMs(): number;
  /** Repeats the last failed call, because the success of another call would not prove a recovery. Null if none failed. */
  repeat(): Promise<void> | null;
  ping(): Promise<void>;
  /** Calls the probe tool of the server. Null if the server has none. */
  list(): Promise<void> | null;
}

/** Probes an endpoint that nothing else calls. Calls a tool instead of `ping` where the server never answers `ping`. */
export class Prober {
  readonly #target: ProbeTarget;
  readonly #wakeSignal: WakeSignal;
  /** Whether `ping` timed out while a tool call succeeded. */
  #ignoresPing = false;

  constructor(clock: Clock, target: ProbeTarget) {
    this.#target = target;
    this.#wakeSignal = new WakeSignal(clock);
  }

  /** Computes the time of the next probe again. */
  reschedule(): void {
    this.#wakeSignal.wake();
  }

  /** Probes until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const dueInMs = this.#target.probeDueInMs();
      if (dueInMs > 0) await this.#wakeSignal.wait(dueInMs, signal);
      // The guard has counted the failure.
      else await this.#probe().catch(() => undefined);
    }
  }

  async #probe(): Promise<void> {
    const repeated = this.#target.repeat();
    if (repeated !== null) return repeated;
    if (this.#ignoresPing) return this.#target.list() ?? this.#target.ping();
    try {
      await this.#target.ping();
    } catch (error) {
      const listed = error instanceof ToolCallTimeoutError ? this.#target.list() : null;
      if (listed === null) throw error;
      await listed;
      this.#ignoresPing = true;
    }
  }
}
