import type { CircuitBreakerFragment } from '../../src/client/index.js';
import { createBadge, setBadge } from '../dom.js';
import { CIRCUIT_TONES } from '../words.js';
import { formatBreaker } from './breaker-text.js';

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
