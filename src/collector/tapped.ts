import type { McpServerType } from '../domain/index.js';
import { pollIntervalMs } from './schedule.js';
import type { UpstreamOptions } from './settings.js';

/** As good as never, and what timers can count. */
const MAX_INTERVAL_MS = 86_400_000;
const RARELY_MS = 60_000;

/**
 * claude-flow writes each call into a file of its project, which makes all later calls slower. Behind a tap that is the
 * person's own project, and it cannot be started elsewhere: so it is asked only after the person's own calls, and rarely.
 */
function isAskedOnlyAfterTraffic({ endpoint }: Pick<UpstreamOptions, 'endpoint'>, type: McpServerType): boolean {
  return endpoint.type === 'tap' && type === 'CLAUDE_FLOW';
}

/** Between two polls of a server, however much is wanted. */
export function minPollIntervalMs(
  settings: Pick<UpstreamOptions, 'endpoint' | 'maxPollHz'>,
  type: McpServerType,
): number {
  const leastMs = 1_000 / settings.maxPollHz;
  return isAskedOnlyAfterTraffic(settings, type) ? Math.max(RARELY_MS, leastMs) : leastMs;
}

/** Between two polls, as the present demand has it. */
export function demandedPollIntervalMs(
  settings: Pick<UpstreamOptions, 'endpoint' | 'maxPollHz'>,
  type: McpServerType,
  demandHz: number,
  heartbeatMs: number,
): number {
  if (isAskedOnlyAfterTraffic(settings, type)) return MAX_INTERVAL_MS;
  return pollIntervalMs(demandHz, settings.maxPollHz, heartbeatMs);
}
