import type { CircuitBreakerStatus } from '../../model/index.js';
import { ToolCallTimeoutError } from '../../mcp/index.js';
import { type Clock, WakeSignal } from '../../shared/index.js';

/** Heartbeats that may pass: a poll of it is due after one, and timers are late. */
const GRACE = 1.1;

/** Whatever the breaker says of when it lets one through. */
const LEAST_INTERVAL_MS = 100;

/** What the time of the next probe follows from; times that end in `Ms` are those of the monotonic clock. */
export interface ProbeInput {
  readonly breaker: CircuitBreakerStatus;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly nowMs: number;
  /** Since when it has neither answered nor been asked. */
  readonly idleSinceMs: number;
  readonly probedAtMs: number;
  /** It has asked to be left alone until then. */
  readonly pausedUntilMs: number;
  readonly heartbeatMs: number;
  /** Nobody has called it yet, and somebody would like to know whether it answers. */
  readonly isUnproven: boolean;
}

/** 0 or less: now. */
export function probeDueInMs(input: ProbeInput): number {
  const { breaker, now, nowMs, idleSinceMs, heartbeatMs } = input;
  // Its probe is under way.
  if (breaker.state === 'HALF_OPEN') return heartbeatMs;
  const leastMs = Math.max(input.pausedUntilMs, input.probedAtMs + LEAST_INTERVAL_MS);
  return Math.max(leastMs, dueMs()) - nowMs;

  function dueMs(): number {
    if (breaker.state === 'OPEN') return nowMs + (breaker.retryAt === null ? 0 : Date.parse(breaker.retryAt) - now);
    if (input.isUnproven && breaker.consecutiveFailures === 0) return nowMs;
    return idleSinceMs + heartbeatMs * GRACE;
  }
}

/** What a prober has to know of its endpoint, and may do there. */
export interface ProbeTarget {
  /** 0 or less: now. */
  probeDueInMs(): number;
  /**
   * Repeats what failed last: what it is that works again does not tell that the other does.
   * @returns `null`: nothing has
   */
  repeat(): Promise<void> | null;
  ping(): Promise<void>;
  /** Calls a tool that costs little; `null`: there is none. */
  list(): Promise<void> | null;
}

/**
 * Asks an endpoint whether it is there when nothing else does. Where `ping` is never answered although tools are, a tool
 * is asked instead.
 */
export class Prober {
  readonly #probed: ProbeTarget;
  readonly #wakeSignal: WakeSignal;
  /** Whether `ping` has proved to tell nothing. */
  #pingTellsNothing = false;

  constructor(clock: Clock, probed: ProbeTarget) {
    this.#probed = probed;
    this.#wakeSignal = new WakeSignal(clock);
  }

  /** Something has changed that the time of the next probe depends on. */
  reschedule(): void {
    this.#wakeSignal.wake();
  }

  /** Ends with `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const dueInMs = this.#probed.probeDueInMs();
      if (dueInMs > 0) await this.#wakeSignal.wait(dueInMs, signal);
      // What it throws the guard has counted.
      else await this.#probe().catch(() => undefined);
    }
  }

  async #probe(): Promise<void> {
    const repeated = this.#probed.repeat();
    if (repeated !== null) return repeated;
    if (this.#pingTellsNothing) return this.#probed.list() ?? this.#probed.ping();
    try {
      await this.#probed.ping();
    } catch (error) {
      const listed = error instanceof ToolCallTimeoutError ? this.#probed.list() : null;
      if (listed === null) throw error;
      await listed;
      this.#pingTellsNothing = true;
    }
  }
}
