/** What the time of the next poll depends on. Times are those of the monotonic clock, in milliseconds. */
export interface ScheduleInput {
  /** When the last poll was due to start; `null` before the first. */
  readonly lastDueMs: number | null;
  readonly intervalMs: number;
  /** The server asked to be left alone until then, or its breaker is open until then. */
  readonly notBeforeMs: number;
}

/** @param demandHz the fastest rate that anyone wants; 0: nobody does, the heartbeat is enough */
export function pollIntervalMs(demandHz: number, maxPollHz: number, heartbeatMs: number): number {
  const hz = Math.min(demandHz, maxPollHz);
  return hz > 0 ? Math.min(1000 / hz, heartbeatMs) : heartbeatMs;
}

/** When the next poll is due: on a grid of whole intervals, which does not drift by the timers' lateness. */
export function nextPollAt({ lastDueMs, intervalMs, notBeforeMs }: ScheduleInput): number {
  return lastDueMs === null ? notBeforeMs : Math.max(lastDueMs + intervalMs, notBeforeMs);
}

/** The due time that a poll which starts now counts as: what was missed by more than an interval is not made up for. */
export function dueOf(dueMs: number, nowMs: number, intervalMs: number): number {
  return nowMs - dueMs < intervalMs ? Math.min(dueMs, nowMs) : nowMs;
}

/** The pause after so many failed attempts in a row: doubling from 0.5 s to 30 s, half of it jitter. */
export function reconnectDelayMs(failures: number, random: () => number): number {
  const ceiling = Math.min(MAX_RECONNECT_MS, FIRST_RECONNECT_MS * 2 ** Math.max(0, failures - 1));
  return ceiling * (0.5 + random() / 2);
}

const FIRST_RECONNECT_MS = 500;
const MAX_RECONNECT_MS = 30_000;
