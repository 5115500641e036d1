import type { McpServerType } from '../../model/index.js';
import type { UpstreamOptions } from '../upstream-options.js';

/** Input for the due time of the next poll. Times are in milliseconds on the monotonic clock. */
export interface PollScheduleInput {
  /** Due time of the last poll. Null before the first. */
  readonly lastDueMs: number | null;
  readonly intervalMs: number;
  /** End of a pause that the server requested, or time of the circuit breaker's next probe. */
  readonly notBeforeMs: number;
  /** Last answered poll. Null before the first. */
  readonly last: { readonly startMs: number; readonly durationMs: number } | null;
  /** Maximum share of the server's time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
}

/**
 * Returns the poll interval in milliseconds that a demand requires.
 * @param demandHz Highest update rate that a subscription needs. 0 means no demand, and the heartbeat applies.
 */
export function pollIntervalMs(demandHz: number, maxPollHz: number, heartbeatMs: number): number {
  const hz = Math.min(demandHz, maxPollHz);
  return hz > 0 ? Math.min(1000 / hz, heartbeatMs) : heartbeatMs;
}

/**
 * Returns the due time of the next poll. Due times are whole intervals apart, so that late timers cause no drift. A slow
 * answer delays the next poll to keep the share of time within `maxPollShare`. The duration of failed polls has no
 * effect, because the circuit breaker limits them.
 */
export function nextPollDueMs({ lastDueMs, intervalMs, notBeforeMs, last, maxPollShare }: PollScheduleInput): number {
  const earliestMs = last === null ? notBeforeMs : Math.max(notBeforeMs, last.startMs + last.durationMs / maxPollShare);
  return lastDueMs === null ? earliestMs : Math.max(lastDueMs + intervalMs, earliestMs);
}

/** Returns the due time to record for a poll that starts now. Polls missed by more than an interval are skipped. */
export function effectiveDueMs(dueMs: number, nowMs: number, intervalMs: number): number {
  return nowMs - dueMs < intervalMs ? Math.min(dueMs, nowMs) : nowMs;
}

/** Interval of one day, which stands for no polls at all and does not exceed the longest timer. */
const MAX_INTERVAL_MS = 86_400_000;
/** Minimum interval in milliseconds between the polls of claude-flow behind a tap. */
const TAPPED_CLAUDE_FLOW_INTERVAL_MS = 60_000;

/**
 * Returns whether a server is polled after observed calls only. claude-flow writes each call into a file of its project,
 * which slows down all later calls. Behind a tap the project is the user's own, and a scratch directory is impossible.
 */
function isPolledAfterTrafficOnly({ endpoint }: Pick<UpstreamOptions, 'endpoint'>, type: McpServerType): boolean {
  return endpoint.type === 'tap' && type === 'CLAUDE_FLOW';
}

/** Returns the minimum time in milliseconds between two polls, whatever the demand. */
export function minPollIntervalMs(
  options: Pick<UpstreamOptions, 'endpoint' | 'maxPollHz'>,
  type: McpServerType,
): number {
  const minMs = 1_000 / options.maxPollHz;
  return isPolledAfterTrafficOnly(options, type) ? Math.max(TAPPED_CLAUDE_FLOW_INTERVAL_MS, minMs) : minMs;
}

/** Returns the time in milliseconds between two polls that the current demand requires. */
export function demandedPollIntervalMs(
  options: Pick<UpstreamOptions, 'endpoint' | 'maxPollHz'>,
  type: McpServerType,
  demandHz: number,
  heartbeatMs: number,
): number {
  if (isPolledAfterTrafficOnly(options, type)) return MAX_INTERVAL_MS;
  return pollIntervalMs(demandHz, options.maxPollHz, heartbeatMs);
}
