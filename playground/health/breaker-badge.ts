import type { CircuitBreakerFragment } from '@swarmlens/client';
import { CIRCUIT_TONES, formatEnumValue } from '../ui/format.js';
import { createBadge, setBadge } from '../ui/dom.js';

/** @param serverNowMs current time of the server's clock, which `retryAt` refers to */
export function formatBreaker(
  { state, retryAt, consecutiveFailures }: CircuitBreakerFragment,
  serverNowMs: number,
): string {
  const failures = consecutiveFailures === 0 ? '' : ` · ${consecutiveFailures} consecutive failures`;
  if (state !== 'OPEN' || retryAt === null) return `breaker ${formatEnumValue(state)}${failures}`;
  const remainingMs = Math.max(0, Date.parse(retryAt) - serverNowMs);
  return `breaker open · probe in ${(remainingMs / 1_000).toFixed(1)} s${failures}`;
}

/** Badge of a circuit breaker. Counts down to the next probe while the breaker is open. */
export class BreakerBadge {
  readonly element = createBadge('', 'neutral');
  #breaker: CircuitBreakerFragment | null = null;

  show(breaker: CircuitBreakerFragment, serverNowMs: number): void {
    this.#breaker = breaker;
    this.updateCountdown(serverNowMs);
  }

  /** @param serverNowMs current time of the server's clock, which `retryAt` refers to */
  updateCountdown(serverNowMs: number): void {
    if (this.#breaker === null) return;
    setBadge(this.element, formatBreaker(this.#breaker, serverNowMs), CIRCUIT_TONES[this.#breaker.state]);
  }
}
