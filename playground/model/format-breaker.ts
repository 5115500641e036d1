import type { CircuitBreakerFragment } from '@swarmlens/client';
import { formatEnumValue } from '../ui/format.js';

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
