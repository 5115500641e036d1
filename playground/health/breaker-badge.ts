import type { CircuitBreakerFragment } from '@swarmlens/client';
import { CIRCUIT_TONES, formatEnumValue } from '../ui/format.js';
import { createBadge, setBadge } from '../ui/dom.js';

/** @param serverNowMs what time it is for the server, whose clock `retryAt` is of */
export function formatBreaker(
  { state, retryAt, consecutiveFailures }: CircuitBreakerFragment,
  serverNowMs: number,
): string {
  const failures = consecutiveFailures === 0 ? '' : ` · ${consecutiveFailures} failed in a row`;
  if (state !== 'OPEN' || retryAt === null) return `breaker ${formatEnumValue(state)}${failures}`;
  const leftMs = Math.max(0, Date.parse(retryAt) - serverNowMs);
  return `breaker open · probe in ${(leftMs / 1_000).toFixed(1)} s${failures}`;
}

/** A circuit breaker in a badge; an open one says how long it stays so. */
export class BreakerBadge {
  readonly element = createBadge('', 'neutral');
  #breaker: CircuitBreakerFragment | null = null;

  show(breaker: CircuitBreakerFragment, serverNowMs: number): void {
    this.#breaker = breaker;
    this.count(serverNowMs);
  }

  /** To be called now and then. @param serverNowMs what time it is for the server, whose clock `retryAt` is of */
  count(serverNowMs: number): void {
    if (this.#breaker === null) return;
    setBadge(this.element, formatBreaker(this.#breaker, serverNowMs), CIRCUIT_TONES[this.#breaker.state]);
  }
}
