import type { McpServerType } from '../../model/index.js';
import type { UpstreamOptions } from '../upstream-options.js';

/** What the time of the next poll depends on. Times are those of the monotonic clock, in milliseconds. */
export interface PollScheduleInput {
  /** When the last poll was due to start; `null` before the first. */
  readonly lastDueMs: number | null;
  readonly intervalMs: number;
  /** The server asked to be left alone until then, or its breaker is open until then. */
  readonly notBeforeMs: number;
  /** The last poll that was answered; `null` before the first. */
  readonly last: { readonly startMs: number; readonly durationMs: number } | null;
  /** Of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
}

/** @param demandHz the fastest rate that anyone wants; 0: nobody does, the heartbeat is enough */
export function pollIntervalMs(demandHz: number, maxPollHz: number, heartbeatMs: number): number {
  const hz = Math.min(demandHz, maxPollHz);
  return hz > 0 ? Math.min(1000 / hz, heartbeatMs) : heartbeatMs;
}

/**
 * When the next poll is due: on a grid of whole intervals, which does not drift by the timers' lateness. A poll that
 * took long moves the next one away, so that it stays within its share; one that was quick does not. How long the server
 * takes to fail is not looked at: that is the breaker's affair.
 */
export function nextPollDueMs({ lastDueMs, intervalMs, notBeforeMs, last, maxPollShare }: PollScheduleInput): number {
  const leastMs = last === null ? notBeforeMs : Math.max(notBeforeMs, last.startMs + last.durationMs / maxPollShare);
  return lastDueMs === null ? leastMs : Math.max(lastDueMs + intervalMs, leastMs);
}

/** The due time that a poll which starts now counts as: what was missed by more than an interval is not made up for. */
export function effectiveDueMs(dueMs: number, nowMs: number, intervalMs: number): number {
  return nowMs - dueMs < intervalMs ? Math.min(dueMs, nowMs) : nowMs;
}

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
