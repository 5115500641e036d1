import type { CircuitBreakerFragment } from '../../src/client/index.js';
import { formatEnumValue } from '../words.js';

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
